# The app is led to new's database.
# shellcheck shell=bash
verify_step() {
  check_leads_to_new
}
