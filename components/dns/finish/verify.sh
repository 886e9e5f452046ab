# The site's names lead to new.
# shellcheck shell=bash
verify_step() {
  check_records data_of_new
}
