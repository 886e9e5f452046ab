# None runs, and none comes back with a reboot.
# shellcheck shell=bash
verify_step() {
  check_units_off "${JOBS[@]}"
}
