# Closes old: app off, new's key and database access out. Old's nginx goes on passing requests to new.
# shellcheck shell=bash
do_step() {
  local unit
  for unit in "${WEB[@]}"; do
    save_unit "$unit"
    systemctl disable --now -- "$unit"
  done
  if [[ $STRATEGY == replicate ]]; then
    unlink_side
    unpublish "$ROOT/database-publication/identities"
    drop_follow_role
  fi
  close_database
  close_hole
  remove_key
}
