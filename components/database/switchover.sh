# The switch of a database from one side to the other, with every write kept, either way. HOLD_BUDGET (seconds) and what follow.sh
# wants are set above; throughPooler.sh or throughConfigFile.sh holds the app's statements (hold, pause_app), leads them to a side
# (prepare_hold, lead_to) and lets them go on (release).
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
# on, they come to TO (finish_switch).
switch_between() {
  # A run that was ended after its decision is only finished.
  if [[ $(users_on) == "$2" ]]; then
    finish_switch "$1" "$2"
    return
  fi
  LAPS=
  use_server_programs
  open_sessions
  prepare_switch "$1" "$2"
  prepare_hold "$2"
  hold "$2"
  lap pause
  hand_over_writes "$1" "$2"
  lead_to "$2"
  release
  lap release
  tell_hold "$2"
  tidy_switch "$1" "$2"
}

# While the app's statements wait: TO gets FROM's last writes, and is the one that is written: hand_over_writes FROM TO.
hand_over_writes() {
  local from=$1 to=$2
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
  decide
  unfence_side "$to"
}

# All that can be done while statements run: TO has nearly all of FROM's writes, has its tables, and FROM is ready to follow it.
prepare_switch() {
  progress "checking that $2 follows $1"
  refuse_other_tables "$1" "$2"
  refuse_prepared "$1"
  make_link "$1"
  drop_slot "$2"
  make_slot "$2"
  catch_up "$2" 120
  printf '%s' "$2" >"$STATE/users-on.next"
  sync -- "$STATE/users-on.next" "$STATE"
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

# Ends the switch where the hold has lasted too long: the unit's last act puts users back. Whoever takes users-on.next away, this or
# `decide`, has its way; neither needs room on the disk.
watch_budget() {
  sleep "$HOLD_BUDGET"
  rm -- "$STATE/users-on.next" 2>/dev/null || return 0
  printf 'the hold lasted longer than changeover:holdBudget (%s s): users stay where they were. Long transactions are the usual reason%s\n' "$HOLD_BUDGET" "$(busy)" >>"$STATE/failure" || true
  kill -KILL $$
}

# The point from which the switch goes on instead of back. On disk before users write: after a crash of the server it is known.
decide() {
  mv -- "$STATE/users-on.next" "$STATE/users-on" || wait_to_be_ended
  sync -- "$STATE"
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

# Once users are on TO and FROM follows it: what led the other way goes. Materialized views are made anew, for their rows do not travel.
tidy_switch() {
  drop_link "$2"
  drop_slot "$1"
  ask "$2" "select format('refresh materialized view %I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'm' and c.relispopulated order by c.oid \\gexec" 3600
}

# The same for a switch that was cut off, in sessions of its own.
tidy_after() {
  use_server_programs && open_sessions && tidy_switch "$1" "$2"
}

# A side's fence is lifted, in sessions of its own.
lift_fence() {
  use_server_programs && open_side "$1" && unfence_side "$1"
}

# The switch has failed: users are on FROM again, as if nothing had been; put_back FROM TO. Tried until it works: for as long as a
# server is down users wait for it.
put_back() {
  set +e
  trap - ERR
  progress "users stay on $1: lifting its fence"
  retry_for 1200 lift_fence "$1"
  retry_for "$LEAD_LIMIT" lead_to "$1"
  retry_for 1200 release
  progress "users are on $1; $2 goes on following it"
  retry_for 1200 follow_again "$1" "$2"
}

# TO follows FROM as before; nothing of the switch is left.
follow_again() {
  use_server_programs && open_sessions && drop_link "$1" && drop_slot "$2" && fence_side "$2" &&
    ask "$2" "alter subscription ${LINK[$2]} enable;"
}

# After a switch's unit, however it ended: on TO, or on FROM as before. switch_ended VERB FROM TO
switch_ended() {
  local ended=success
  if [[ $SERVICE_RESULT != success && $(users_on) == "$3" ]]; then
    finish_switch "$2" "$3" || {
      ended=$SERVICE_RESULT
      turn_back "$2" "$3"
    }
  elif [[ $SERVICE_RESULT != success ]]; then
    ended=$SERVICE_RESULT
    put_back "$2" "$3"
  fi
  tell_end "$1" "$ended"
}

# The switch was ended after the decision: users come to TO; finish_switch FROM TO. Fails where the app does not work there.
finish_switch() {
  set +e
  trap - ERR
  retry_for 1200 lift_fence "$2" || return 1
  retry_for "$LEAD_LIMIT" lead_to "$2" || return 1
  retry_for 1200 release
  progress "users are on $2; removing the link that led there"
  retry_for 1200 tidy_after "$1" "$2" || progress "the link that led to $2 is left over: subscription and slot ${LINK[$2]}"
}

# The app does not work with TO's database: users come back to FROM by the same way, with every write kept; turn_back FROM TO. Where
# that is not possible, they stay on TO.
turn_back() {
  progress "the app does not work with the database on $2: back to $1"
  (
    set -e
    pause_app
    use_server_programs
    open_sessions
    prepare_switch "$2" "$1"
    hand_over_writes "$2" "$1"
  )
  if [[ $(users_on) == "$1" ]]; then put_back "$1" "$2"; else retry_for 1200 release; fi
}
