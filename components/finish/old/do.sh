# Closes old: app off, new's key and database access out. Old's nginx goes on passing requests to new.
# shellcheck shell=bash
do_step() {
  local unit
  for unit in "${WEB[@]}"; do
    save_unit "$unit"
    systemctl disable --now -- "$unit"
  done
  close_database
  close_hole
  remove_key
}
