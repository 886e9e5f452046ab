# One database follows the other by logical replication: names, links, the marker. MOVE, DATABASE, PGPORT and
# what fence.sh has are set above.
# shellcheck shell=bash

# The publication of either side, and the schema with the marker, whose only row is counted up to see that all before it has come.
readonly FOLLOW="changeover_$MOVE"

# The subscription on a side, and the slot on the other one that feeds it.
declare -rA LINK=([old]="changeover_${MOVE//-/_}_to_old" [new]="changeover_${MOVE//-/_}_to_new")

# The other side.
declare -rA OTHER=([old]=new [new]=old)

# How one side's server reaches the other's database: dsn_from SIDE.
dsn_from() {
  if [[ $1 == new ]]; then
    old_dsn
  else
    printf "host=%s port=%s dbname='%s' user=changeover_%s sslmode=require passfile=/var/lib/postgresql/changeover-%s.private/pass" \
      "$(ip_of "$NEW_ADDRESS")" "$PGPORT" "${DATABASE//\'/\\\'}" "$MOVE" "$MOVE"
  fi
}

# Opens a session with one side's database, as superuser: the other side may be down. Unlike the copy, what it does is on disk when it
# returns: a fence has to outlive a crash, and the other side is sent nothing before. A network that is cut ends it within seconds.
open_side() {
  if [[ $1 == old ]]; then
    open_session old old_psql --dbname="$(old_dsn) tcp_user_timeout=3000 keepalives_idle=1 keepalives_interval=1 keepalives_count=2"
  else
    open_session new as_postgres psql --no-psqlrc --quiet --no-align --tuples-only --field-separator=$'\t' --set=ON_ERROR_STOP=1 --port="$PGPORT" --dbname="$DATABASE"
  fi
  ask "$1" "$(session_settings)
    set synchronous_commit = on;
    set application_name = '$FOLLOW';"
  end_left_sessions "$1"
}

# Ends the sessions that a killed run has left on a side: what those were asked last would be done after what this one is asked.
end_left_sessions() {
  local left="from pg_stat_activity where application_name = '$FOLLOW' and backend_type = 'client backend' and pid <> pg_backend_pid()"
  ask "$1" "select pg_terminate_backend(pid) $left \\g /dev/null
    do \$\$ begin
      for i in 1..5000 loop
        if not exists (select $left) then return; end if;
        perform pg_stat_clear_snapshot(), pg_sleep(0.001);
      end loop;
      raise exception 'sessions of a killed run are left';
    end \$\$;"
}

# Opens sessions with both.
open_sessions() {
  open_side old
  open_side new
}

# SQL: a session of the app in the database that is asked.
readonly APP_SESSION="datname = current_database() and usename in ($ROLE_LIST)"

# The statements of the fence and of its lifting, made before anybody waits for them.
FENCE=$(fence_logins && end_sessions "$APP_SESSION" 5)
UNFENCE=$(unfence_logins)
readonly FENCE UNFENCE

# A side's app roles cannot log in to the database, and none of their sessions is left. Survives a reboot.
fence_side() {
  ask "$1" "$FENCE"
}

# A side's app roles can log in again.
unfence_side() {
  ask "$1" "$UNFENCE"
}

# Makes the subscription of a side, which does nothing yet and has no slot yet: make_link SIDE [PUBLICATION].
make_link() {
  local link
  link=${LINK[$1]}
  drop_link "$1"
  ask "$1" "create subscription $link connection $(literal "$(dsn_from "$1")") publication \"${2:-$FOLLOW}\"
    with (enabled = false, create_slot = false, slot_name = $(literal "$link"), copy_data = false);"
}

# Ends a side's subscription and its worker, which would look up only once a second: nothing that comes later is written here.
cut_link() {
  local link
  link=${LINK[$1]}
  ask "$1" "alter subscription $link disable;
    select pg_terminate_backend(pid) from pg_stat_subscription where subname = '$link' and pid is not null \\g /dev/null
    do \$\$ begin
      for i in 1..20000 loop
        if not exists (select from pg_stat_subscription where subname = '$link' and pid is not null) then return; end if;
        perform pg_stat_clear_snapshot(), pg_sleep(0.001);
      end loop;
      raise exception 'the worker of subscription $link does not end';
    end \$\$;"
}

# Removes a side's subscription, if it is there, without asking the other side.
drop_link() {
  local link
  link=${LINK[$1]}
  ask "$1" "select exists (select from pg_subscription where subname = '$link' and subdbid = (select oid from pg_database where datname = current_database())) as there \\gset
    \\if :there
    alter subscription $link disable;
    alter subscription $link set (slot_name = none);
    drop subscription $link;
    \\endif"
}

# Makes the slot that will feed the other side: make_slot SIDE. It waits for the transactions that are open on this side.
make_slot() {
  ask "$1" "select pg_create_logical_replication_slot('${LINK[${OTHER[$1]}]}', 'pgoutput') \\g /dev/null"
}

# The slot feeds the other side from now on: what was written here before, as what came from there, is left out. The message makes
# the server write down all of that first, for a subscription does not wait for the disk. The other side notes from where it reads,
# for after a crash here the slot is where it was at the last checkpoint.
feed_from_here() {
  local link
  link=${LINK[${OTHER[$1]}]}
  ask "$1" "select pg_logical_emit_message(true, '$FOLLOW', '') \\g /dev/null
    select pg_current_wal_flush_lsn() as here \\gset
    select pg_replication_slot_advance('$link', :'here') \\g /dev/null
    select :'here';"
  ask "${OTHER[$1]}" "select pg_replication_origin_advance('pg_' || oid, '$ANSWER') from pg_subscription where subname = '$link' \\g /dev/null"
}

# Removes that slot, if it is there, with whoever reads it.
drop_slot() {
  drop_slots "$1" "slot_name = '${LINK[${OTHER[$1]}]}'"
}

# Removes the slots of a side for which a condition holds, with whoever reads them: drop_slots SIDE CONDITION
drop_slots() {
  ask "$1" "select pg_terminate_backend(active_pid) from pg_replication_slots where $2 and active_pid is not null \\g /dev/null
    do \$\$ begin
      for i in 1..5000 loop
        if not exists (select from pg_replication_slots where $2 and active) then exit; end if;
        perform pg_sleep(0.001);
      end loop;
      perform pg_drop_replication_slot(slot_name) from pg_replication_slots where $2;
    end \$\$;"
}

# Counts a side's marker up; what it is now, in ANSWER.
write_mark() {
  ask "$1" "update \"$FOLLOW\".marker set n = n + 1 returning n;"
}

# Everything that was committed on a side before now is on the other one: drain SIDE SECONDS.
drain() {
  write_mark "$1"
  ask "${OTHER[$1]}" "do \$\$ declare began timestamptz := clock_timestamp(); begin
      loop
        if (select n >= ${ANSWER:-0} from \"$FOLLOW\".marker) then return; end if;
        if clock_timestamp() > began + interval '$2 seconds' then raise exception 'the last write of $1 has not come within $2 seconds'; end if;
        perform pg_sleep(0.001);
      end loop;
    end \$\$;" "$(($2 + 5))"
}

# Bytes that a side still has to send to the other one.
lag_of() {
  ask "$1" "select coalesce((select pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint from pg_replication_slots where slot_name = '${LINK[${OTHER[$1]}]}'), -1);"
}

# Waits until a side has nearly all of the other one's writes, a mark that is written now among them; one that comes no nearer
# for 20 seconds never will. catch_up SIDE SECONDS
catch_up() {
  local from mark end=$((SECONDS + $2)) least=-1 since=$SECONDS
  from=${OTHER[$1]}
  write_mark "$from"
  mark=$ANSWER
  until lag_of "$from" && ((ANSWER >= 0 && ANSWER < LAG_LIMIT)) && follows "$1" "$mark"; do
    if ((ANSWER >= 0 && (least < 0 || ANSWER < least))); then
      least=$ANSWER
      since=$SECONDS
    fi
    ((SECONDS < end && SECONDS < since + 20)) || refuse_lag "$1" "$ANSWER"
    sleep 0.1
  done
}

# True when a side's subscription is at work, is not copying, and has brought a mark: follows SIDE MARK. One that meets the same
# error again and again is at work for moments, too.
follows() {
  local lag=$ANSWER
  ask "$1" "select exists (select from pg_stat_subscription where subname = '${LINK[$1]}' and pid is not null and relid is null)
    and coalesce((select n >= $2 from \"$FOLLOW\".marker), false);"
  [[ $ANSWER == t ]] || {
    ANSWER=$lag
    return 1
  }
}

# Ends the switch to a side that lacks writes: says how far it is behind, why, and which tables have rows that have not come.
refuse_lag() {
  local from lag=$2 trouble text
  from=${OTHER[$1]}
  trouble_of "$1"
  trouble=$ANSWER
  cut_link "$1"
  rows_on_the_way "$from"
  text="$1 does not catch up with $from: it is $(human "$lag") behind (at most $(human "$LAG_LIMIT") are allowed, changeover:database.lagLimit)$trouble$(busy)"
  failure "$text${ANSWER:+; not there yet: $ANSWER}. Nothing is lost: users stay on $from. Mend what the log of PostgreSQL on $1 names, and run 'pulumi up' again"
}

# The rows that a side has sent or would send, and the other one has not taken: table and number of changes.
rows_on_the_way() {
  ask "$1" "do \$\$ begin
      for i in 1..10000 loop
        if not exists (select from pg_replication_slots where slot_name = '${LINK[${OTHER[$1]}]}' and active) then return; end if;
        perform pg_sleep(0.001);
      end loop;
    end \$\$;
    select count(*) = 1 as readable from pg_replication_slots where slot_name = '${LINK[${OTHER[$1]}]}' and not active and restart_lsn is not null \\gset
    \\if :readable
    select coalesce(string_agg(format('%s: %s rows', relation, changes), ', '), '') from (
      select ((get_byte(data, 1)::bigint << 24) + (get_byte(data, 2) << 16) + (get_byte(data, 3) << 8) + get_byte(data, 4))::oid::regclass as relation, count(*) as changes
      from pg_logical_slot_peek_binary_changes('${LINK[${OTHER[$1]}]}', null, null, 'proto_version', '1', 'publication_names', '$FOLLOW')
      where get_byte(data, 0) in (68, 73, 85) group by 1 order by 2 desc limit 5) changes;
    \\endif" 120
}

# Why a side does not follow, in ANSWER: its subscription's state, or the slot's.
trouble_of() {
  local link trouble
  link=${LINK[$1]}
  ask "$1" "select case when not exists (select from pg_subscription where subname = '$link' and subenabled) then '; its subscription is off'
    when not exists (select from pg_stat_subscription where subname = '$link' and pid is not null and relid is null) then '; its worker is not at work (an error of applying: see the log of PostgreSQL on $1)' else '' end;"
  trouble=$ANSWER
  ask "${OTHER[$1]}" "select coalesce((select case when coalesce(to_jsonb(s) ->> 'wal_status', '') in ('lost', 'unreserved') then '; the slot has lost what it needs (max_slot_wal_keep_size)' else '' end
    from pg_replication_slots s where slot_name = '$link'), '; the slot is gone');"
  ANSWER=$trouble$ANSWER
}
