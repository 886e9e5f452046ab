# Copies old's database to new while users are served, and lets the copy follow: every later write comes after it.
# shellcheck shell=bash

# The step's unit does all of it, so that no lost connection can stop it half-way.
unit_work() {
  local began=$SECONDS
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  use_server_programs
  be_gentle
  [[ $GENTLE == no ]] || give_way $$
  SIZE=$(gate database-size)
  find_copy
  if [[ $GOES_ON == yes ]]; then resume_copy; else copy_anew; fi
  result copySeconds $((SECONDS - began))
  gate identities >"$STATE/identities"
  follow_old
  untune
}

# Looks for the copy of an interrupted run, and sets GOES_ON. One that cannot go on is removed.
find_copy() {
  local why
  GOES_ON=no
  [[ -e $STATE/copy ]] || return 0
  progress "looking at what an interrupted run has copied"
  why=$(why_anew)
  [[ -n $why ]] || {
    open_side old
    drop_complete
    dump_tables --lock-wait-timeout=60s
    statements tables >"$STATE_PG/tables.now"
    cmp -s "$STATE_PG/tables.now" "$STATE_PG/tables.sql" || why="the tables of $DATABASE on old were changed meanwhile"
  }
  if [[ -z $why ]]; then
    GOES_ON=yes
  else
    progress "the copy begins anew: $why"
    stop_following
  fi
}

# All of the copy, from a new slot on.
copy_anew() {
  progress "preparing the copy of $DATABASE, $(human "$SIZE")"
  open_follow_roles
  tune_for_restore
  open_side old
  drop_complete
  drop_slot old
  hold_slot_snapshot
  plan_streams 'ahead|late'
  make_tables --lock-wait-timeout=60s --snapshot="$(cat "$STATE_PG/snapshot")"
  open_side new
  note_parts
  copy_everything
  close_session slot
  close_new
  make_link new
}

# One role for each direction, with one password: new's subscription and old's read it from a file that only postgres enters.
open_follow_roles() {
  make_password
  gate follow-role <<<"$PASSWORD"
  sql postgres <<SQL
set log_statement = 'none'; set log_min_duration_statement = -1; set log_min_error_statement = 'panic';
set password_encryption = 'scram-sha-256';
drop role if exists "changeover_$MOVE";
create role "changeover_$MOVE" login replication connection limit 8 password '$PASSWORD';
$(role_settings)
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
    failure "old's database gave no slot within 600 seconds: is a long transaction open there (select * from pg_stat_activity order by xact_start)? $(tail -n 1 "$LOG" | cut -c 1-300)$(busy)"
  IFS='|' read -r _ _ answer _ <<<"$answer"
  printf '%s' "$answer" >"$STATE_PG/snapshot"
}

# All rows of that view, then keys, indexes, triggers and materialized views, and statistics.
copy_everything() {
  local watcher streaming limiter
  streamed_tables ahead >"$STATE_PG/ahead"
  streamed_tables late >"$STATE_PG/late"
  watch_bytes copy "$SIZE" copied_so_far &
  watcher=$!
  {
    stream ahead "$STATE_PG/ahead" "$(record_part '{}')"
    stream late "$STATE_PG/late" "$(record_part '{}')"
  } &
  streaming=$!
  limit_dump rows &
  limiter=$!
  dump_old rows --snapshot="$(cat "$STATE_PG/snapshot")"
  end_watch "$limiter"
  make_large_objects
  restore rows --section=data --jobs="$WORKERS" --dbname="$DATABASE"
  ask new "$(record_part "$DUMPED");"
  wait "$streaming" || exit 1
  progress "building keys and indexes"
  : >"$STATE_PG/keys"
  restore_behind_rows
  end_watch "$watcher"
  analyze_all
}

# Statistics for the planner; what the copy needed on disk goes.
analyze_all() {
  sql "$DATABASE" <<<"$ANALYZED" | analyze analyze
  rm -rf -- "$DUMP"
}

# New's database is written by its subscription alone from here on.
close_new() {
  find_shared_roles
  fence_side new
  # Where not everybody may enter the database, old's subscription may.
  ask new "select format('grant connect on database %I to %I', current_database(), 'changeover_$MOVE')
    where not has_database_privilege('changeover_$MOVE', current_database(), 'connect') \\gexec"
}

# Every later write comes. The publication came with the tables.
follow_old() {
  ask new "alter subscription ${LINK[new]} enable;"
  progress "catching up with what was written meanwhile"
  [[ $GENTLE == no ]] || catch_up_gently
  catch_up new "$DEADLINE"
  ask new "drop table if exists $COPIED;"
  progress "new follows old"
}

# Catches up by two processes that give way to users. Then new ones follow, which do not.
catch_up_gently() {
  local link=${LINK[new]}
  find_process new "select pid from pg_stat_subscription where subname = '$link' and pid is not null and relid is null"
  ((ANSWER == 0)) || give_way "$ANSWER"
  find_process old "select active_pid as pid from pg_replication_slots where slot_name = '$link' and active_pid is not null"
  ((ANSWER == 0)) || ask old "$(gives_way "$ANSWER")"
  catch_up new "$DEADLINE"
  cut_link new
  ask new "alter subscription $link enable;"
}

# The process that a query of a side finds within 5 seconds, in ANSWER, or 0: find_process SIDE QUERY
find_process() {
  ask "$1" "do \$\$ begin
      for i in 1..5000 loop
        if exists ($2) then return; end if;
        perform pg_stat_clear_snapshot(), pg_sleep(0.001);
      end loop;
    end \$\$;
    select coalesce(max(pid), 0) from ($2) found;"
}

# After the unit's work, however it ended.
unit_work_ended() {
  local ended=success
  if [[ $SERVICE_RESULT != success ]]; then
    ended=$SERVICE_RESULT
    set +e
    trap - ERR
    use_server_programs
    if [[ -e $STATE/copy && -z $(why_anew) ]]; then
      keep_copy
    else
      progress "removing the copy again"
      (stop_following) && : >"$STATE/put-back"
    fi
  fi
  tell_end work "$ended"
}

# As before the step: no copy, no slot, no roles.
stop_following() {
  use_server_programs
  untune
  if [[ -e $STATE/copy && $(database_here) != 0 ]]; then
    open_side new
    remove_link
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
