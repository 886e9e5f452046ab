# The gate's requests about old's PostgreSQL.
# shellcheck shell=bash

# Where old keeps the password of the role that follows: only postgres enters it.
readonly PRIVATE=/var/lib/postgresql/changeover-$MOVE.private

# Role definitions with their password verifiers and memberships, for the settings' roles, the database's owner and grantees.
roles() {
  runuser -u postgres -- pg_dumpall --roles-only --port="$PGPORT"
}

# A superuser that lives as long as the copy does; its password comes by stdin and is not logged. copy_role OPTIONS
copy_role() {
  local password
  IFS= read -r password
  [[ $password =~ ^[0-9a-f]{32,}$ ]] || refuse "copy-role: the password is not of the form that new makes"
  sql postgres <<SQL
set log_statement = 'none'; set log_min_duration_statement = -1; set log_min_error_statement = 'panic';
set password_encryption = 'scram-sha-256';
drop role if exists "changeover_$MOVE";
create role "changeover_$MOVE" login superuser connection limit 32 $1 password '$password';
$(role_settings)
SQL
  PASSWORD=$password
}

# The same for as long as one database follows the other; old's own subscription reads the password from a file.
follow_role() {
  copy_role ""
  rm -rf -- "$PRIVATE"
  install -d -m 700 -o postgres "$PRIVATE"
  (umask 077 && printf '*:*:*:*:%s\n' "$PASSWORD" >"$PRIVATE/pass")
  chown postgres: "$PRIVATE/pass"
}

# Ends what the copy's role does, and removes it with its password.
drop_copy_role() {
  rm -rf -- "$PRIVATE"
  sql --set=role="changeover_$MOVE" postgres <<'SQL'
select pg_terminate_backend(pid) from pg_stat_activity where usename = :'role' \g /dev/null
drop role if exists :"role";
SQL
}

# The database's size in bytes.
database_size() {
  sql --set=name="$DATABASE" postgres <<<"select pg_database_size(:'name')"
}

# Fences the database: the app's roles cannot log in to it, and only the copy's sessions are left. Survives a reboot.
fence() {
  fence_logins | sql postgres
  end_sessions "datname = $(literal "$DATABASE") and usename <> 'changeover_$MOVE' and backend_type = 'client backend'" 10 | sql postgres ||
    refuse "fence: sessions of the database $DATABASE are left: a superuser or an unknown role works on it; end it and run again"
}

# Lifts the fence.
unfence() {
  unfence_logins | sql postgres
}

# Rows of every table, name<TAB>count, exact.
counts() {
  sql --field-separator=$'\t' "$DATABASE" <<<"$COUNTS"
}

# Tables whose replica identity the move has set, and what it was.
identities() {
  cat "$(dirname "$HERE")/database-publication/identities"
}

# How much PostgreSQL writes into its log: only `logical` can be followed.
wal_level() {
  sql postgres --command='show wal_level'
}

# PostgreSQL's own unit, which is Debian's of the cluster.
server_unit() {
  local pid
  pid=$(head -n 1 "$(sql postgres --command='show data_directory')/postmaster.pid")
  ps -o unit= -p "$pid" | tr -d ' '
}

# Restarts PostgreSQL; most is written to disk before, so that it is quickly back.
restart_server() {
  local unit
  unit=$(server_unit)
  [[ $unit == *.service ]] || refuse "PostgreSQL on old is not a systemd service (unit: ${unit:-none}): restart it by hand so that wal_level is logical, then run again"
  sql postgres --command='checkpoint'
  systemctl restart -- "$unit"
}

# Makes old's database one that can be followed, by a restart of PostgreSQL; the setting of before is kept.
decode_wal() {
  [[ $(wal_level) != logical ]] || return 0
  sql postgres --command="select coalesce((select setting from pg_file_settings where name = 'wal_level' and sourcefile like '%postgresql.auto.conf' order by seqno desc limit 1), '')" >"$HERE/wal-level.new"
  [[ -e $HERE/wal-level ]] || mv "$HERE/wal-level.new" "$HERE/wal-level"
  sql postgres --command="alter system set wal_level = 'logical'"
  restart_server
}

# The setting as it was, by a restart again.
decode_wal_no_more() {
  local before
  [[ -e $HERE/wal-level ]] || return 0
  before=$(cat "$HERE/wal-level")
  if [[ -n $before ]]; then
    sql --set=before="$before" postgres <<<"alter system set wal_level = :'before'"
  else
    sql postgres --command='alter system reset wal_level'
  fi
  restart_server
  rm -f "$HERE/wal-level"
}

# Removes a slot of this move, if it is there, with whoever reads it.
drop_slot() {
  local end=$((SECONDS + 30))
  [[ $1 == "changeover_${MOVE//-/_}_"* ]] || refuse "drop-slot: $1 is not a slot of this move"
  until sql --set=slot="$1" postgres <<'SQL'; do
select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = :'slot' and active_pid is not null \g /dev/null
select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = :'slot' \g /dev/null
SQL
    ((SECONDS < end)) || refuse "drop-slot: $1 is in use after 30 seconds$(busy old)"
    sleep 0.1
  done
}
