# Copies old's database to new while users are served, and lets the copy follow: every later write comes after it.
# shellcheck shell=bash

# The step's unit does all of it, so that no lost connection can stop it half-way.
unit_work() {
  local began=$SECONDS
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  use_server_programs
  SIZE=$(gate database-size)
  progress "preparing the copy of $DATABASE, $(human "$SIZE")"
  open_follow_roles
  tune_for_restore
  open_side old
  drop_slot old
  hold_slot_snapshot
  plan_streams
  make_tables --lock-wait-timeout=60s --snapshot="$(cat "$STATE_PG/snapshot")"
  copy_everything
  close_session slot
  result copySeconds $((SECONDS - began))
  gate identities >"$STATE/identities"
  follow_old
  untune
}

# One role for each direction, with one password: new's subscription and old's read it from a file that only postgres enters.
open_follow_roles() {
  make_password
  gate follow-role <<<"$PASSWORD"
  sql postgres <<SQL
set log_statement = 'none'; set log_min_duration_statement = -1; set log_min_error_statement = 'panic';
drop role if exists "changeover_$MOVE";
create role "changeover_$MOVE" login replication connection limit 8 password '$PASSWORD';
SQL
}

# The slot that keeps every write from now on, and the view of the database at that very moment. Its session must not be asked for
# anything else while the view is needed.
hold_slot_snapshot() {
  local answer
  open_session slot as_postgres psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$(old_dsn) replication=database"
  # The database's own settings may end a session that is idle for long.
  ask slot "$(session_settings)"
  printf 'CREATE_REPLICATION_SLOT "%s" LOGICAL pgoutput EXPORT_SNAPSHOT;\n' "${LINK[new]}" >&"${ASKING[slot]}"
  # Transactions that were open are waited for.
  IFS= read -r -t 600 answer <&"${ANSWERING[slot]}" ||
    failure "old's database gave no slot within 600 seconds: is a long transaction open there (select * from pg_stat_activity order by xact_start)? $(tail -n 1 "$LOG" | cut -c 1-300)"
  IFS='|' read -r _ _ answer _ <<<"$answer"
  printf '%s' "$answer" >"$STATE_PG/snapshot"
}

# All rows of that view, then keys, indexes, triggers and materialized views, and statistics.
copy_everything() {
  local watcher streaming
  streamed_tables ahead >"$STATE_PG/ahead"
  streamed_tables late >"$STATE_PG/late"
  watch_bytes copy "$SIZE" restored_bytes &
  watcher=$!
  {
    stream ahead "$STATE_PG/ahead"
    stream late "$STATE_PG/late"
  } &
  streaming=$!
  dump_old rows --snapshot="$(cat "$STATE_PG/snapshot")"
  make_large_objects
  restore rows --section=data --jobs="$WORKERS" --dbname="$DATABASE"
  wait "$streaming" || exit 1
  progress "building keys and indexes"
  : >"$STATE_PG/keys"
  restore_behind_rows
  end_watch "$watcher"
  sql "$DATABASE" <<<"$ANALYZED" | analyze analyze
  rm -rf -- "$DUMP"
}

# New's copy is written by its subscription alone from here on. The publication came with the tables.
follow_old() {
  open_side new
  fence_side new
  # Where not everybody may enter the database, old's subscription may.
  ask new "select format('grant connect on database %I to %I', current_database(), 'changeover_$MOVE')
    where not has_database_privilege('changeover_$MOVE', current_database(), 'connect') \\gexec"
  make_link new
  ask new "alter subscription ${LINK[new]} enable;"
  progress "catching up with what was written meanwhile"
  catch_up new "$DEADLINE"
  progress "new follows old"
}

# After the unit's work, however it ended.
unit_work_ended() {
  local ended=success
  if [[ $SERVICE_RESULT != success ]]; then
    ended=$SERVICE_RESULT
    set +e
    trap - ERR
    progress "removing the copy again"
    (stop_following) && : >"$STATE/put-back"
  fi
  tell_end work "$ended"
}

# As before the step: no copy, no slot, no roles.
stop_following() {
  use_server_programs
  untune
  if [[ -e $STATE/copy ]]; then
    open_side new
    drop_link new
    close_session new
  fi
  if [[ -e $STATE_PG/pass ]]; then
    gate drop-slot "${LINK[new]}"
    close_copy_role
  fi
  drop_copy
  sql postgres --command="drop role if exists \"changeover_$MOVE\""
}

do_step() {
  follow_work work
}
