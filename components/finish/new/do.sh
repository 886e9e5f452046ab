# Opens deploys on new and puts the move's key away.
# shellcheck shell=bash
do_step() {
  if [[ $STRATEGY == replicate ]]; then
    unlink_side
    unpublish "$ROOT/database-follow/identities"
    drop_follow_role
    close_database
    close_hole
    forget_server_settings
  fi
  (
    # shellcheck disable=SC2034 # restore_saved reads it
    STATE=$ROOT/deploys-new
    restore_saved
  )
  rm -rf "$ROOT/access-key/key" "$ROOT/access-key/key.pub"
}

# What old's following needed of new's PostgreSQL goes with its next restart: users are on it now.
forget_server_settings() {
  local setting
  [[ -s $ROOT/database-server/changed ]] || return 0
  sort -u "$ROOT/database-server/changed" | while IFS= read -r setting; do sql postgres --command="alter system reset $setting"; done
}
