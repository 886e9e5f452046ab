# Copies the database from old to new: pg_dump of old's over TLS, pg_restore here, both in parallel. DATABASE, WORKERS are set above.
# shellcheck shell=bash

readonly DUMP=${DUMP_FOLDER:-/var/lib/postgresql}/changeover-$MOVE.dump

# How the copy reaches old's database: its own role, whose password is in a file that only postgres reads.
old_dsn() {
  printf "host=%s port=%s dbname='%s' user=changeover_%s sslmode=require passfile=%s" "$(ip_of "$OLD_ADDRESS")" "$PGPORT" "${DATABASE//\'/\\\'}" "$MOVE" "$STATE_PG/pass"
}

# Makes the copy's role on old; its password lives in files of this run only.
open_copy_role() {
  local password
  STATE_PG=$(runuser -u postgres -- mktemp -d)
  password=$(openssl rand -hex 24)
  (umask 077 && printf '*:*:*:*:%s\n' "$password" >"$STATE_PG/pass")
  chown postgres: "$STATE_PG/pass"
  gate copy-role <<<"$password"
}

# Removes the copy's role and its password, and the dump.
close_copy_role() {
  rm -rf -- "${STATE_PG:-/nonexistent}" "$DUMP"
  gate drop-copy-role
}

# Settings of new's server that make a restore quick and are safe while the database is not in use; needs no restart.
tune_for_restore() {
  sql postgres <<'SQL'
alter system set max_wal_size = '16GB';
alter system set checkpoint_timeout = '1h';
alter system set autovacuum = off;
alter system set full_page_writes = off;
select pg_reload_conf() \g /dev/null
SQL
}

# The server's settings as they were.
untune() {
  sql postgres <<'SQL'
alter system reset max_wal_size;
alter system reset checkpoint_timeout;
alter system reset autovacuum;
alter system reset full_page_writes;
select pg_reload_conf() \g /dev/null
SQL
}

# Writes progress while a command runs: watch_bytes WHAT TOTAL COMMAND..., where COMMAND prints the bytes that are done.
watch_bytes() {
  local what=$1 total=$2 began=$SECONDS done_ seconds
  shift 2
  while sleep 1; do
    done_=$("$@" 2>/dev/null) || continue
    seconds=$((SECONDS - began))
    ((seconds > 0 && done_ > 0)) || continue
    progress "$what: $(human "$done_") of about $(human "$total"), $(human $((done_ / seconds)))/s, about $(((total > done_ ? total - done_ : 0) * seconds / done_)) s left"
  done
}

# Bytes of the dump so far.
dumped_bytes() {
  du -sb -- "$DUMP" | cut -f 1
}

# Bytes of the new database so far.
restored_bytes() {
  sql --set=name="$DATABASE" postgres <<<"select pg_database_size(:'name')"
}

# Runs a client program of PostgreSQL as postgres, in a folder it may enter.
as_postgres() {
  (cd / && PGOPTIONS="-c synchronous_commit=off -c maintenance_work_mem=512MB -c max_parallel_maintenance_workers=1 -c lock_timeout=60s" \
    runuser --preserve-environment -u postgres -- "$@")
}

# Dumps old's database in parallel, uncompressed: the disk is quicker than one core.
dump_old() {
  local size=$1 watcher
  rm -rf -- "$DUMP"
  watch_bytes dump "$size" dumped_bytes &
  watcher=$!
  as_postgres pg_dump --format=directory --jobs="$WORKERS" --compress=0 --no-sync --file="$DUMP" --dbname="$(old_dsn)" ||
    failure "pg_dump: $(tail -n 1 "$LOG" | cut -c 1-300)"
  kill "$watcher" 2>/dev/null || true
}

# Restores it here with owners, grants, extensions and the database's own settings.
restore_new() {
  local size=$1 watcher
  watch_bytes restore "$size" restored_bytes &
  watcher=$!
  as_postgres pg_restore --create --exit-on-error --jobs="$WORKERS" --port="$PGPORT" --dbname=postgres "$DUMP" ||
    failure "pg_restore: $(tail -n 1 "$LOG" | cut -c 1-300)"
  kill "$watcher" 2>/dev/null || true
}

# Settings that roles have in this database only: they live outside of the database, and come by themselves.
restore_role_settings() {
  gate role-settings | sql postgres
}

# Compares the number of rows of every table with old's.
compare_counts() {
  local differences
  gate counts >"$STATE/counts.old"
  sql --field-separator=$'\t' "$DATABASE" <<<"$COUNTS" >"$STATE/counts.new"
  differences=$(diff "$STATE/counts.old" "$STATE/counts.new" | grep '^[<>]' | head -n 3 | tr '\n\t' '; ' || true)
  [[ -z $differences ]] || failure "the copy's rows differ from old's (< old, > new): $differences"
}

# The whole copy. The database has no writer while it runs.
copy_database() {
  local size began=$SECONDS
  size=$(gate database-size)
  progress "copying the database $DATABASE, $(human "$size")"
  open_copy_role
  tune_for_restore
  dump_old "$size"
  restore_new "$size"
  restore_role_settings
  compare_counts &
  as_postgres vacuumdb --analyze-only --jobs="$WORKERS" --port="$PGPORT" --dbname="$DATABASE" || failure "vacuumdb: $(tail -n 1 "$LOG" | cut -c 1-300)"
  wait $! || exit 1
  untune
  sql postgres --command=checkpoint
  close_copy_role
  result copySeconds $((SECONDS - began))
  progress "copied and compared in $((SECONDS - began)) s"
}

# Removes the copy from new.
drop_copy() {
  sql --set=name="$DATABASE" postgres <<<'drop database if exists :"name" with (force)'
}
