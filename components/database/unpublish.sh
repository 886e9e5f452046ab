# Ends a side's part in following: publication, marker, replica identities, subscription, slot. DATABASE, MOVE are set above.
# shellcheck shell=bash

# Sets a table's identity without making users wait for a lock.
set_identity() {
  sql "$DATABASE" <<<"set lock_timeout = '1s'; alter table only $1 replica identity $2;"
}

# Takes publication and marker away, and puts the replica identities back that a file names.
unpublish() {
  local table identity
  sql --set=name="changeover_$MOVE" --set=complete="changeover_${MOVE}_complete" "$DATABASE" <<'SQL'
set client_min_messages = warning;
set lock_timeout = '30s';
drop publication if exists :"name", :"complete";
drop schema if exists :"name" cascade;
SQL
  [[ -e $1 ]] || return 0
  while IFS=$'\t' read -r table identity; do
    [[ $(sql --set=name="$table" "$DATABASE" <<<"select to_regclass(:'name') is not null") == t ]] || continue
    if [[ $identity == n ]]; then identity=nothing; else identity=default; fi
    wait_until 120 "$table should be free for a moment, so that its replica identity can be put back" set_identity "$table" "$identity"
  done <"$1"
}

# Removes this side's subscription without asking the other side, and its slot with whoever reads it.
unlink_side() {
  local this=changeover_${MOVE//-/_}_to_$SIDE other=changeover_${MOVE//-/_}_to_old
  [[ $SIDE == new ]] || other=changeover_${MOVE//-/_}_to_new
  sql --set=link="$this" "$DATABASE" <<'SQL'
select exists (select from pg_subscription where subname = :'link') as there \gset
\if :there
alter subscription :"link" disable;
alter subscription :"link" set (slot_name = none);
drop subscription :"link";
\endif
SQL
  wait_until 30 "slot $other on $SIDE should be free" drop_slot_here "$other"
}

# Ends who reads a slot, and removes it.
drop_slot_here() {
  sql --set=slot="$1" postgres <<'SQL'
select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = :'slot' and active_pid is not null \g /dev/null
select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = :'slot' \g /dev/null
SQL
}

# Removes the role that followed, and its password.
drop_follow_role() {
  rm -rf "/var/lib/postgresql/changeover-$MOVE.private" "/var/lib/postgresql/changeover-$MOVE.dump.private"
  sql --set=role="changeover_$MOVE" postgres <<'SQL'
select format('drop owned by %I', rolname), format('drop role %I', rolname) from pg_roles where rolname = :'role' \gexec
SQL
}
