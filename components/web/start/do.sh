# Starts the app on new and asks it the site's checks.
# shellcheck shell=bash
do_step() {
  save_units "${WEB[@]}"
  start_units "${WEB[@]}"
  check_site
}
