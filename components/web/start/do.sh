# Starts the app on new and asks it the site's checks.
# shellcheck shell=bash
do_step() {
  local unit
  for unit in "${WEB[@]}"; do save_unit "$unit"; done
  start_units "${WEB[@]}"
  check_site
}
