# Copies the database from old to new over TLS: rows of big tables stream in pieces, several at a time, the rest goes by pg_dump
# and pg_restore; all of it from one snapshot. DATABASE, WORKERS, PIECES (SQL) are set above.
# shellcheck shell=bash

readonly DUMP=${DUMP_FOLDER:-/var/lib/postgresql}/changeover-$MOVE.dump
# Only postgres enters it: the password of the copy's role, and the statements of the pieces.
readonly STATE_PG=$DUMP.private
# Bytes of a piece; smaller tables are left to pg_dump.
readonly PIECE_BYTES=100000000

# How the copy reaches old's database: its own role, whose password is in a file that only postgres reads.
old_dsn() {
  printf "host=%s port=%s dbname='%s' user=changeover_%s sslmode=require passfile=%s" "$(ip_of "$OLD_ADDRESS")" "$PGPORT" "${DATABASE//\'/\\\'}" "$MOVE" "$STATE_PG/pass"
}

# Makes the copy's role on old; its password lives in files of this run only.
open_copy_role() {
  local password
  rm -rf -- "$STATE_PG"
  install -d -m 700 -o postgres "$STATE_PG"
  password=$(openssl rand -hex 24)
  (umask 077 && printf '*:*:*:*:%s\n' "$password" >"$STATE_PG/pass")
  chown postgres: "$STATE_PG/pass"
  gate copy-role <<<"$password"
}

# Removes the copy's role and its password, and the dump.
close_copy_role() {
  rm -rf -- "$STATE_PG" "$DUMP"
  gate drop-copy-role
}

# Settings of new's server that make a restore quick, need no restart, and are crash-safe: what is copied is in its log, and the
# first commit after the copy flushes that.
tune_for_restore() {
  sql postgres <<'SQL'
alter system set max_wal_size = '16GB';
alter system set checkpoint_timeout = '1h';
alter system set autovacuum = off;
select pg_reload_conf() \g /dev/null
SQL
}

# The server's settings as they were.
untune() {
  sql postgres <<'SQL'
alter system reset max_wal_size;
alter system reset checkpoint_timeout;
alter system reset autovacuum;
select pg_reload_conf() \g /dev/null
SQL
}

# Writes progress while a command runs: watch_bytes WHAT TOTAL COMMAND..., where COMMAND prints the bytes that are done.
watch_bytes() {
  local what=$1 total=$2 began=$SECONDS done_ seconds
  shift 2
  while sleep 3; do
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

# Ends watchers of progress.
end_watch() {
  kill "$1" 2>/dev/null || true
}

# Holds one view of old's database open until the copy's role is closed: every part of the copy reads the same rows.
hold_snapshot() {
  local line
  coproc OLD { as_postgres psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$(old_dsn)"; }
  {
    session_settings
    printf '%s\n' 'begin isolation level repeatable read read only;' 'select pg_export_snapshot();'
  } >&"${OLD[1]}"
  IFS= read -r -t 30 line <&"${OLD[0]}" || failure "old's database gave no snapshot: $(tail -n 1 "$LOG" | cut -c 1-300)"
  SNAPSHOT=$line
}

# What a session needs so that rows come out, and go in, as pg_dump writes them.
session_settings() {
  cat <<'SQL'
select set_config(name, value, false) from (
  values ('search_path', ''), ('datestyle', 'ISO'), ('intervalstyle', 'postgres'), ('extra_float_digits', '3'),
    ('xmloption', 'content'), ('client_encoding', getdatabaseencoding())
  union all select name::text, '0' from pg_settings
    where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')
) v(name, value) \g /dev/null
SQL
}

# Writes the statements of every piece: number.out for old, number.in for new; prints the pieces' tables, each once.
plan_pieces() {
  local number=0 table out in
  as_postgres psql --no-psqlrc --quiet --no-align --tuples-only --field-separator=$'\t' --set=ON_ERROR_STOP=1 \
    --set=bytes="$PIECE_BYTES" --dbname="$(old_dsn)" <<<"$PIECES" >"$STATE_PG/pieces"
  while IFS=$'\t' read -r table out in; do
    {
      session_settings
      printf '%s\n' 'begin isolation level repeatable read read only;' "set transaction snapshot '$SNAPSHOT';" "$out;" 'commit;'
    } >"$STATE_PG/$number.out"
    {
      session_settings
      printf '\\%s\n' "$in"
    } >"$STATE_PG/$number.in"
    number=$((number + 1))
    printf '%s\n' "$table"
  done <"$STATE_PG/pieces" | uniq
}

# Dumps the rest of old's database in parallel, uncompressed: the disk is quicker than one core.
dump_old() {
  local size=$1 watcher table
  local -a without=()
  while IFS= read -r table; do without+=(--exclude-table-data="$table"); done <"$STATE_PG/tables"
  rm -rf -- "$DUMP"
  watch_bytes dump "$size" dumped_bytes &
  watcher=$!
  as_postgres pg_dump --format=directory --jobs="$WORKERS" --compress=0 --no-sync --snapshot="$SNAPSHOT" "${without[@]}" \
    --file="$DUMP" --dbname="$(old_dsn)" || failure "pg_dump: $(tail -n 1 "$LOG" | cut -c 1-300)"
  end_watch "$watcher"
}

# Restores one section of the dump here.
restore_section() {
  as_postgres pg_restore --section="$1" --exit-on-error --port="$PGPORT" "${@:2}" "$DUMP" || failure "pg_restore: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# Streams the rows of the big tables from old into new, WORKERS pieces at a time.
stream_pieces() {
  local psql="psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1"
  [[ -s $STATE_PG/pieces ]] || return 0
  seq 0 $(($(wc -l <"$STATE_PG/pieces") - 1)) | OLD_DSN=$(old_dsn) as_postgres xargs --max-procs="$WORKERS" --replace={} bash -u -o pipefail -c \
    "$psql --file='$STATE_PG/{}.out' --dbname=\"\$OLD_DSN\" | $psql --port='$PGPORT' --dbname=\"\$1\" --file='$STATE_PG/{}.in' || exit 255" piece "$DATABASE" ||
    failure "streaming the rows of big tables: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# Restores it here with owners, grants, extensions and the database's own settings: tables, their rows, then keys and indexes.
restore_new() {
  local size=$1 watcher
  watch_bytes restore "$size" restored_bytes &
  watcher=$!
  restore_section pre-data --create --dbname=postgres
  restore_section data --jobs="$WORKERS" --dbname="$DATABASE"
  stream_pieces
  restore_section post-data --jobs="$WORKERS" --dbname="$DATABASE"
  end_watch "$watcher"
}

# Settings that roles have in this database only: they live outside of the database, and come by themselves.
restore_role_settings() {
  gate role-settings | sql postgres
}

# Compares the number of rows of every table with old's, which were counted while the copy ran.
compare_counts() {
  local differences
  sql --field-separator=$'\t' "$DATABASE" <<<"$COUNTS" >"$STATE/counts.new"
  differences=$(diff <(sort "$STATE/counts.old") <(sort "$STATE/counts.new") | grep '^[<>]' | head -n 3 | tr '\n\t' '; ' || true)
  [[ -z $differences ]] || failure "the copy's rows differ from old's (< old, > new): $differences"
}

# Everything that the copy has committed is on disk before users come: a commit that waits for the log takes all before it along.
flush_copy() {
  sql "$DATABASE" --command="select pg_logical_emit_message(true, 'changeover', 'copied')" >/dev/null
}

# The running server's own psql and pg_dump: Debian's wrappers of them take longer to start than most statements take to run.
use_server_programs() {
  local bin
  bin=$(sql postgres --command="select setting from pg_config where name = 'BINDIR'")
  [[ ! -x $bin/psql || ! -x $bin/pg_dump ]] || PATH=$bin:$PATH
}

# All that can be done while users are still served.
prepare_copy() {
  use_server_programs
  SIZE=$(gate database-size)
  open_copy_role
  tune_for_restore
}

# The whole copy. The database has no writer while it runs.
copy_database() {
  local began=$SECONDS counting comparing
  progress "copying the database $DATABASE, $(human "$SIZE")"
  gate counts >"$STATE/counts.old" &
  counting=$!
  hold_snapshot
  plan_pieces >"$STATE_PG/tables"
  dump_old "$SIZE"
  restore_new "$SIZE"
  restore_role_settings
  wait "$counting" || failure "old's rows could not be counted: $(tail -n 1 "$LOG" | cut -c 1-300)"
  compare_counts &
  comparing=$!
  as_postgres vacuumdb --analyze-only --jobs="$WORKERS" --port="$PGPORT" --dbname="$DATABASE" || failure "vacuumdb: $(tail -n 1 "$LOG" | cut -c 1-300)"
  wait "$comparing" || exit 1
  untune
  flush_copy
  result copySeconds $((SECONDS - began))
  progress "copied and compared in $((SECONDS - began)) s"
}

# Removes the copy from new.
drop_copy() {
  sql --set=name="$DATABASE" postgres <<<'drop database if exists :"name" with (force)'
}
