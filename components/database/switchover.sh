# The switch of a database from one side to the other, with every write kept, either way. HOLD_BUDGET (seconds) and what follow.sh
# and pooler.sh want are set above.
# shellcheck shell=bash

# Milliseconds of the clock, in NOW.
now() {
  NOW=$((${EPOCHREALTIME/[.,]/} / 1000))
}

# A part of the hold has ended: adds its name and milliseconds to LAPS.
lap() {
  local before=$NOW
  now
  LAPS+="${LAPS:+, }$1 $((NOW - before))"
}

# The whole switch: switch_between FROM TO. Up to `decide`, anything that goes wrong leaves users on FROM (put_back); from there
# on, they come to TO (release_to).
switch_between() {
  local from=$1 to=$2 began LAPS=
  rm -rf "$STATE/decided"
  use_server_programs
  open_sessions
  open_session pooler pooler_psql "$DEADLINE"
  prepare_switch "$from" "$to"
  progress "switching the database to $to: statements wait"
  now
  began=$NOW
  watch_budget &
  hold_statements
  lap pause
  fence_side "$from"
  lap fence
  drain "$from" "$HOLD_BUDGET"
  lap "last writes"
  copy_sequences "$from" "$to"
  copy_left_out "$from" "$to"
  lap sequences
  cut_link "$to"
  feed_from_here "$to"
  ask "$from" "alter subscription ${LINK[$from]} enable;"
  lap "way back"
  decide "$to"
  unfence_side "$to"
  mv -- "$POOLER_INI.$to" "$POOLER_INI"
  ask pooler 'reload; resume;'
  lap release
  result databaseHoldMilliseconds "$((NOW - began))"
  progress "the database is $to's: statements waited for $((NOW - began)) ms ($LAPS)"
  tidy_switch "$from" "$to"
}

# The app's statements wait; those that run are finished first. A login at the server that is under way would be cut off, and taken
# for a server that refuses: clients would fail after the hold. So it begins when there is none.
hold_statements() {
  local end=$((SECONDS + 2))
  until ask pooler 'show servers;' && [[ $ANSWER != *"|new|"* ]]; do
    ((SECONDS < end)) || break
  done
  ask pooler 'pause;'
}

# All that can be done while statements run: TO has nearly all of FROM's writes, has its tables, and FROM is ready to follow it.
prepare_switch() {
  progress "checking that $2 follows $1"
  refuse_other_tables "$1" "$2"
  refuse_prepared "$1"
  make_link "$1"
  drop_slot "$2"
  make_slot "$2"
  pooler_leading "$2" | replace_file "$POOLER_INI.$2"
  chown --reference="$POOLER_INI" "$POOLER_INI.$2"
  chmod --reference="$POOLER_INI" "$POOLER_INI.$2"
  catch_up "$2" 120
  settle "$1"
}

# Waits until a write comes over in a moment, for some seconds at most: what the preparations have left for the disks to do would be
# waited for in the hold.
settle() {
  local before end=$((SECONDS + 5))
  while :; do
    now
    before=$NOW
    drain "$1" 60
    now
    ((NOW - before > 20 && SECONDS < end)) || return 0
  done
}

# PgBouncer's file that leads to a side.
pooler_leading() {
  if [[ $1 == old ]]; then pooler_file "$(ip_of "$OLD_ADDRESS")"; else pooler_file 127.0.0.1; fi
}

# Tables, columns and keys of a side, by which the two can be compared.
table_shapes() {
  ask "$1" "select md5(coalesce(string_agg(shape, E'\\n' order by shape collate \"C\"), '')) from (
      select format('%s.%s.%s %s %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull) as shape
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and c.relpersistence <> 't' and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^(pg_|information_schema$)'
      union all
      select pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
      where i.indisunique and c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$)'
    ) shapes;"
}

# Ends the switch where one side has tables, columns or keys that the other one has not: what is written to them would not come.
refuse_other_tables() {
  local shapes
  table_shapes "$1"
  shapes=$ANSWER
  table_shapes "$2"
  [[ $ANSWER == "$shapes" ]] ||
    failure "the tables of $DATABASE on $1 and $2 differ: somebody has changed one side (a deploy, a migration?). Make the same change on $2 as superuser, then: alter subscription ${LINK[$2]} refresh publication with (copy_data = false)  there, and run 'pulumi up' again"
}

# A prepared transaction would hold its locks on the side that is left, and be lost.
refuse_prepared() {
  ask "$1" "select coalesce(string_agg(gid, ', '), '') from pg_prepared_xacts where database = current_database();"
  [[ -z $ANSWER ]] || failure "$1 has prepared transactions ($ANSWER): commit or roll them back there, and run 'pulumi up' again"
}

# Ends the switch where the hold has lasted too long: the unit's last act puts users back.
watch_budget() {
  sleep "$HOLD_BUDGET"
  mkdir "$STATE/decided" 2>/dev/null || return 0
  printf 'the hold lasted longer than changeover:holdBudget (%s s): users stay where they were. Long transactions are the usual reason\n' "$HOLD_BUDGET" >>"$STATE/failure"
  kill -KILL $$
}

# The point from which the switch goes on instead of back.
decide() {
  mkdir "$STATE/decided" 2>/dev/null || wait_to_be_ended
  printf '%s' "$1" >"$STATE/users-on.part"
  mv "$STATE/users-on.part" "$STATE/users-on"
}

# The side whose database users write.
users_on() {
  cat "$STATE/users-on" 2>/dev/null || printf 'old'
}

# The budget has run out at the last moment: this process is about to be ended.
wait_to_be_ended() {
  wait
  exit 1
}

# Brings all sequences to where they are, those that belong to no column too.
copy_sequences() {
  ask "$1" "select format('select setval(%L, %s, %L) \\g /dev/null', format('%I.%I', nspname, relname), (xpath('/row/last_value/text()', state))[1], (xpath('/row/is_called/text()', state))[1]::text::boolean)
    from (select n.nspname, c.relname, query_to_xml(format('select last_value, is_called from %I.%I', n.nspname, c.relname), false, true, '') as state
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$)') sequences;"
  ask "$2" "$ANSWER"
}

# What logical replication does not carry: large objects, and the rows of unlogged tables. They come by pg_dump.
copy_left_out() {
  local from=$1 to=$2 table
  local -a dump=(pg_dump --dbname="$(old_dsn)") tables=()
  [[ $from == old ]] || dump=(pg_dump --port="$PGPORT" --dbname="$DATABASE")
  ask "$from" "select (select count(*) from pg_largeobject_metadata), (select count(*) from pg_class where relkind = 'r' and relpersistence = 'u');"
  [[ $ANSWER != 0?0 ]] || return 0
  ask "$from" "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and c.relpersistence = 'u';"
  while IFS= read -r table; do [[ -z $table ]] || tables+=("$table"); done <<<"$ANSWER"
  {
    printf 'set session_replication_role = replica;\n'
    printf 'truncate %s;\n' "${tables[@]}" | grep -v 'truncate ;' || true
    printf 'select lo_unlink(oid) from pg_largeobject_metadata \\g /dev/null\n'
    as_postgres "${dump[@]}" --data-only --blobs --exclude-schema='*' | for_any_version
    ((${#tables[@]} == 0)) || as_postgres "${dump[@]}" --data-only "${tables[@]/#/--table=}" | for_any_version
  } >"$STATE/left-out.sql"
  if [[ $to == new ]]; then
    sql "$DATABASE" --single-transaction <"$STATE/left-out.sql"
  else
    old_psql --single-transaction <"$STATE/left-out.sql"
  fi
  rm -f "$STATE/left-out.sql"
}

# A dump without the setting at its top that servers before 17 do not know.
for_any_version() {
  sed '1,40{/^SET transaction_timeout = 0;$/d}'
}

# Statements go on, on a side.
release_to() {
  rm -f -- "$POOLER_INI.old" "$POOLER_INI.new"
  pooler_leading "$1" | replace_file "$POOLER_INI"
  pooler_command 'reload'
  resume_app
}

# Once users are on TO: FROM follows it, and what led the other way goes. Materialized views are made anew, for their rows do not travel.
tidy_switch() {
  drop_link "$2"
  drop_slot "$1"
  ask "$2" "select format('refresh materialized view %I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'm' and c.relispopulated order by c.oid \\gexec" 3600
}

# The switch has failed: users are on FROM again, as if nothing had been; put_back FROM TO. Tried until it works: for as long as a
# server is down users wait for it.
put_back() {
  local end=$((SECONDS + 1200))
  set +e
  trap - ERR
  progress "users stay on $1: lifting its fence"
  # It is fenced already, unless somebody has meddled; where it is down nobody writes there.
  (use_server_programs && open_side "$2" && fence_side "$2")
  until (use_server_programs && open_side "$1" && unfence_side "$1" && release_to "$1"); do
    ((SECONDS < end)) || break
    sleep 0.2
  done
  progress "users are on $1; $2 goes on following it"
  until (use_server_programs && open_sessions && follow_again "$1" "$2"); do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

# TO follows FROM as before; nothing of the switch is left.
follow_again() {
  drop_link "$1"
  drop_slot "$2"
  fence_side "$2"
  ask "$2" "alter subscription ${LINK[$2]} enable;"
}

# After a switch's unit, however it ended: on TO, or on FROM as before. switch_ended VERB FROM TO
switch_ended() {
  local ended=success
  if [[ $SERVICE_RESULT != success && $(users_on) == "$3" ]]; then
    finish_switch "$2" "$3" || ended=$SERVICE_RESULT
  elif [[ $SERVICE_RESULT != success ]]; then
    ended=$SERVICE_RESULT
    put_back "$2" "$3"
  fi
  tell_end "$1" "$ended"
}

# The switch was ended after the decision: users come to TO.
finish_switch() {
  local end=$((SECONDS + 1200))
  set +e
  trap - ERR
  until (use_server_programs && open_side "$2" && unfence_side "$2" && release_to "$2"); do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
  (use_server_programs && open_sessions && tidy_switch "$1" "$2") || progress "the link that led to $2 is left over: subscription and slot ${LINK[$2]}"
}
