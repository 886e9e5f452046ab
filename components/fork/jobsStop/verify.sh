# None runs, and none comes back with a reboot.
# shellcheck shell=bash
verify_step() {
  local -a units
  mapfile -t units < <(job_units)
  check_units_off "${units[@]}"
}
