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
  open_for_good
  rm -rf "$ROOT/access-key/key" "$ROOT/access-key/key.pub"
  # They hold the key of the site's zone.
  rm -f "$ROOT"/dns-*/script
}

# Deploys come here from now on, also where an earlier move had closed this server for good.
open_for_good() {
  local lock repository
  (
    # shellcheck disable=SC2034 # restore_saved reads it
    STATE=$KEPT
    open_deploys
  )
  for lock in "$CLOSED" "${DEPLOY_LOCKS[@]}"; do ! is_of_a_move "$lock" || rm -f -- "$lock"; done
  for repository in "${DEPLOYS[@]}"; do
    ! grep -qs 'Put here by changeover' "$repository/hooks/pre-receive" || rm -f -- "$repository/hooks/pre-receive"
  done
}

# What old's following needed of new's PostgreSQL goes with its next restart: users are on it now.
forget_server_settings() {
  local setting
  [[ -s $ROOT/database-server/changed ]] || return 0
  sort -u "$ROOT/database-server/changed" | while IFS= read -r setting; do sql postgres --command="alter system reset $setting"; done
}
