# A copy that was interrupted goes on: what came completely stays, the other tables come by PostgreSQL's own table synchronization.
# Needs copy.sh, follow.sh, sessions.sh.
# shellcheck shell=bash

# On new while it is copied: every part of the copy, its table, and whether it has come, set in the transaction of the rows. Parts are
# the streams by number, and two more: the tables that pg_dump brings, and those that their extension fills by itself.
readonly COPIED="\"$FOLLOW\".copied"
readonly DUMPED=-1 FILLED=-2

# On old for a moment: exactly the tables that came completely.
readonly COMPLETE="${FOLLOW}_complete"

# Writes down what there is to copy, once the tables are there.
note_parts() {
  ask new "\\set streams \`cat '$STATE_PG/streams'\`
    create table $COPIED (part int, relation oid, done boolean not null default false, primary key (part, relation));
    insert into $COPIED select line.number - 1, split_part(line.text, E'\\t', 2)::regclass
      from regexp_split_to_table(:'streams', E'\\n') with ordinality line(text, number) where line.text ~ E'^(ahead|late)\\t';
    insert into $COPIED select part, oid, part = $FILLED from (
      select c.oid, case when e.oid is null or c.oid = any (e.extconfig) then $DUMPED else $FILLED end as part
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
        left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
        left join pg_extension e on d.refclassid = 'pg_extension'::regclass and e.oid = d.refobjid
      where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^(pg_|information_schema$)'
        and c.oid <> '$COPIED'::regclass and c.oid not in (select relation from $COPIED)) others;"
}

# The statement that records one part.
record_part() {
  printf 'update %s set done = true where part = %s' "$COPIED" "$1"
}

# The relations of which every part has come, or (not) some.
relations_that() {
  printf 'select relation from %s group by relation having %s bool_and(done)' "$COPIED" "${1:-}"
}

# Bytes of the new database so far, and how many of its tables are complete.
copied_so_far() {
  sql --field-separator=' ' "$DATABASE" <<SQL
select pg_database_size(current_database()), count(*) filter (where done) || ' of ' || count(*) || ' tables'
from (select bool_and(done) as done from $COPIED group by relation) relations
SQL
}

# The same while PostgreSQL copies.
synchronized_so_far() {
  sql --field-separator=' ' "$DATABASE" <<SQL
select pg_database_size(current_database()), count(*) filter (where srsubstate = 'r') || ' of ' || count(*) || ' tables'
from pg_subscription_rel join pg_subscription on oid = srsubid where subname = '${LINK[new]}'
SQL
}

# ANSWER gets t where new has its subscription: from then on PostgreSQL itself knows what has come.
ask_link() {
  ask new "select exists (select from pg_subscription where subname = '${LINK[new]}' and subdbid = (select oid from pg_database where datname = current_database()));"
}

# Prints why an interrupted copy has to begin anew; nothing where it can go on.
why_anew() {
  [[ -s $STATE_PG/tables.sql && $(database_here) != 0 ]] || {
    printf 'nothing had been copied'
    return
  }
  open_side new
  ask_link
  if [[ $ANSWER == f ]]; then
    ask new "select to_regclass('$COPIED') is not null as noted \\gset
      \\if :noted
      select exists ($(relations_that) and min(part) > $FILLED);
      \\endif"
    [[ $ANSWER == t ]] || {
      printf 'no table was complete'
      return
    }
  fi
  open_side old
  ask old "select coalesce((select case when wal_status in ('lost', 'unreserved') then 'the slot on old has lost what new needs (max_slot_wal_keep_size)' else '' end
    from pg_replication_slots where slot_name = '${LINK[new]}'), 'the slot on old is gone');"
  printf '%s' "$ANSWER"
}

# Removes the publication that an interrupted run may have left on old.
drop_complete() {
  ask old "drop publication if exists \"$COMPLETE\";"
}

# Ends what an interrupted run has left at work on new, and waits for its end: it may hang on a cut network for a while.
end_streams() {
  local left="from pg_stat_activity where datname = current_database() and application_name in ('psql', 'pg_restore') and pid <> pg_backend_pid()"
  ask new "select pg_terminate_backend(pid) $left \\g /dev/null
    do \$\$ begin
      for i in 1..9000 loop
        if not exists (select $left) then return; end if;
        perform pg_stat_clear_snapshot(), pg_sleep(0.01);
      end loop;
      raise exception 'streams of the interrupted copy are left';
    end \$\$;" 100
}

# Makes the subscription, and has PostgreSQL copy what had not come completely. What had is as of the slot's beginning, as in a copy
# that was never interrupted.
resume_copy() {
  local watcher
  tune_for_restore
  open_side new
  end_streams
  : >"$STATE_PG/keys"
  split_turns tables
  skip_what_is_here
  ask_link
  [[ $ANSWER == t ]] || link_complete
  progress "PostgreSQL copies what had not come"
  watch_bytes copy "$SIZE" synchronized_so_far &
  watcher=$!
  copy_as_superuser true
  # The publication of all tables is older than the slot: the slot knows it at every point of what it keeps.
  ask new "alter subscription ${LINK[new]} set publication \"$FOLLOW\" with (refresh = false);
    alter subscription ${LINK[new]} enable;
    alter subscription ${LINK[new]} refresh publication with (copy_data = true);"
  await_tables
  end_watch "$watcher"
  # All tables are as of one moment: keys between them hold.
  cut_link new
  copy_as_superuser false
  progress "building the other keys"
  restore_turns tables 3
  refresh_views
  analyze_all
}

# From 16 on, PostgreSQL copies rows as their table's owner, who may lack the right; pg_restore does as the superuser.
copy_as_superuser() {
  ask new "select current_setting('server_version_num')::int >= 160000 as known \\gset
    \\if :known
    alter subscription ${LINK[new]} set (run_as_owner = $1);
    \\endif"
}

# New's subscription without the tables that did not come completely, which are empty from here on.
link_complete() {
  local complete
  progress "going on with the copy, of which $(copied_so_far | cut -d ' ' -f 2-) are complete"
  ask new "select 'truncate only ' || string_agg(relation::regclass::text, ', only ') from ($(relations_that not)) incomplete having count(*) > 0 \\gexec"
  restore_turns tables 1 2
  close_new
  ask new "select string_agg(quote_literal(relation::regclass::text), ', ') from ($(relations_that)) complete;"
  complete=$ANSWER
  # Extensions may have other tables there.
  ask old "select format('create publication %I for table %s', '$COMPLETE', string_agg('only ' || name, ', '))
    from unnest(array[$complete]) name where to_regclass(name) is not null \\gexec" 90
  make_link new "$COMPLETE"
  drop_complete
}

# Takes out of the turns what an interrupted run has made already.
skip_what_is_here() {
  local turn
  as_postgres pg_dump --format=custom --schema-only --section=post-data --port="$PGPORT" --dbname="$DATABASE" --file="$DUMP/here" ||
    failure "pg_dump: $(tail -n 1 "$LOG" | cut -c 1-300)"
  restore here --list >"$STATE_PG/here"
  for turn in "$STATE_PG"/turn[123]; do
    awk -v here="$STATE_PG/here" '
      function entry(line) { sub(/^[0-9]+; [0-9]+ [0-9]+ /, "", line); return line }
      BEGIN { while ((getline line <here) > 0) there[entry(line)] = 1 }
      !(entry($0) in there)' "$turn" >"$turn.left"
    mv -- "$turn.left" "$turn"
  done
}

# Waits until PostgreSQL has brought every table; what comes no further for 10 minutes never will.
await_tables() {
  local since=$SECONDS last=
  while ask new "select string_agg(relation, ', ' order by relation), pg_database_size(current_database()), count(*), string_agg(state, '' order by relation)
      from (select srrelid::regclass::text as relation, srsubstate::text as state from pg_subscription_rel join pg_subscription on oid = srsubid
        where subname = '${LINK[new]}' and srsubstate <> 'r') missing having count(*) > 0;" && [[ -n $ANSWER ]]; do
    [[ $ANSWER == "$last" ]] || since=$SECONDS
    last=$ANSWER
    ((SECONDS < since + 600)) || failure "PostgreSQL on new does not bring these tables: $(cut -f 1 <<<"$ANSWER" | cut -c 1-200); its log there says why$(busy)"
    sleep 0.5
  done
}

# Materialized views whose rows old has.
refresh_views() {
  ask old "select format('refresh materialized view %I.%I;', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'm' and c.relispopulated order by c.oid;"
  ask new "$ANSWER" "$DEADLINE"
}

# After an interruption: what is here stays as it is, and old goes on keeping every write for it.
keep_copy() {
  local reason
  reason=$(head -n 1 "$STATE/failure" 2>/dev/null | cut -c 1-150)
  progress "the copy stays as it is"
  (untune)
  (open_side new && end_streams)
  rm -rf -- "$DUMP"
  printf '%s; what had come completely is kept, and old keeps every write for it: the next run goes on with the rest; lowering the phase removes it\n' \
    "${reason:-it was stopped from outside}" >"$STATE/failure"
}

# Removes new's subscription, and the slots on old with which it copies tables. What had come is forgotten first: it is as of the
# slot's beginning no more.
remove_link() {
  local slots
  ask new "drop table if exists $COPIED;"
  ask new "select format('^pg_%s_sync_[0-9]+_%s\$', oid, (select system_identifier from pg_control_system())) from pg_subscription
    where subname = '${LINK[new]}' and subdbid = (select oid from pg_database where datname = current_database());"
  slots=$ANSWER
  [[ -n $slots ]] || return 0
  cut_link new
  open_side old
  drop_slots old "slot_name ~ '$slots'"
  close_session old
  drop_link new
}
