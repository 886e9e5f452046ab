# Every job runs.
# shellcheck shell=bash
verify_step() {
  check_units_run "${JOBS[@]}"
}
