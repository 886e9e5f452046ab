# The app is off on old.
# shellcheck shell=bash
verify_step() {
  check_units_off "${WEB[@]}"
}
