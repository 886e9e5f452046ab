# The records lead where they led before.
# shellcheck shell=bash
verify_step() {
  check_records data_before
}
