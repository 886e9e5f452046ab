# The units run.
# shellcheck shell=bash
verify_step() {
  check_units_run "${WEB[@]}"
}
