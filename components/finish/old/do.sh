# Closes old: app off, new's key and database access out. Old's nginx goes on passing requests to new.
# shellcheck shell=bash
do_step() {
  save_units "${WEB[@]}"
  stop_units "${WEB[@]}"
  if [[ $STRATEGY == replicate ]]; then
    unlink_side
    unpublish "$ROOT/database-publication/identities"
    drop_follow_role
  fi
  lead_deploys_to_new
  leave_fenced
  close_database
  close_hole
  remove_key
  result finishedAt "$(date -u +%FT%TZ)"
  result finishSeconds "$SECONDS"
}

# Deploys stay closed here, and are told that the site has moved.
lead_deploys_to_new() {
  local lock
  (
    # shellcheck disable=SC2034 # save_path reads it
    STATE=$KEPT
    close_repositories moved
  )
  for lock in "$CLOSED" "${DEPLOY_LOCKS[@]}"; do
    ! is_of_this_move "$lock" || deploy_message moved | replace_file "$lock"
  done
}

# A role that serves other databases too stays out of the one that users have left, as everybody does but superusers.
leave_fenced() {
  sql --set=group="$FENCED" --set=name="$DATABASE" postgres <<'SQL'
select format('alter database %I connection limit 0', :'name')
  where exists (select from pg_auth_members where roleid = (select oid from pg_roles where rolname = :'group')) \gexec
SQL
}
