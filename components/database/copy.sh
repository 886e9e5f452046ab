# Copies the database from old to new over TLS: rows of big tables stream in pieces, several at a time, the rest goes by pg_dump
# and pg_restore; all of it from one snapshot. Tables are made ahead of it, while users are still served.
# DATABASE, WORKERS, PIECES and ANALYZED (SQL) are set above.
# shellcheck shell=bash

readonly DUMP=${DUMP_FOLDER:-/var/lib/postgresql}/changeover-$MOVE.dump
# Only postgres enters it: the password of the copy's role, and the statements of the pieces.
readonly STATE_PG=$DUMP.private
# Smaller tables are left to pg_dump; bigger ones stream in WORKERS pieces or more, of this many bytes at most.
readonly SMALL_BYTES=100000000 PIECE_BYTES=1000000000

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
alter system set wal_init_zero = off;
select pg_reload_conf() \g /dev/null
SQL
}

# The server's settings as they were.
untune() {
  sql postgres <<'SQL'
alter system reset max_wal_size;
alter system reset checkpoint_timeout;
alter system reset autovacuum;
alter system reset wal_init_zero;
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

# Bytes of the new database so far.
restored_bytes() {
  sql --set=name="$DATABASE" postgres <<<"select pg_database_size(:'name')"
}

# Runs a client program of PostgreSQL as postgres, in a folder it may enter.
as_postgres() {
  (cd / && PGOPTIONS="-c synchronous_commit=off -c maintenance_work_mem=512MB -c max_parallel_maintenance_workers=1 -c lock_timeout=60s" \
    runuser --preserve-environment -u postgres -- "$@")
}

# psql on old's database, as the copy's role.
old_psql() {
  as_postgres psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$(old_dsn)" "$@"
}

# Ends watchers of progress.
end_watch() {
  kill "$1" 2>/dev/null || true
}

# Opens a session on old's database that outlives the fence.
open_session() {
  coproc OLD { old_psql; }
  session_settings >&"${OLD[1]}"
}

# Holds one view of old's database open in that session until the copy's role is closed: every part of the copy reads the same rows.
hold_snapshot() {
  local line
  printf '%s\n' 'begin isolation level repeatable read read only;' 'select pg_export_snapshot();' >&"${OLD[1]}"
  IFS= read -r -t 30 line <&"${OLD[0]}" || failure "old's database gave no snapshot: $(tail -n 1 "$LOG" | cut -c 1-300)"
  SNAPSHOT=$line
  printf '%s' "$SNAPSHOT" >"$STATE_PG/snapshot"
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

# Writes what every piece needs: number.out reads its rows on old, number.sh runs that, number.in has new's server write what it
# prints; and the pieces' tables, each once.
plan_pieces() {
  local number=0 table out in
  old_psql --field-separator=$'\t' --set=small="$SMALL_BYTES" --set=piece="$PIECE_BYTES" --set=workers="$WORKERS" <<<"$PIECES" >"$STATE_PG/pieces"
  while IFS=$'\t' read -r table out in; do
    {
      session_settings
      printf '%s\n' 'begin isolation level repeatable read read only;' "set transaction snapshot :'snapshot';" "$out;" 'commit;'
    } >"$STATE_PG/$number.out"
    # shellcheck disable=SC2016 # expands when it runs
    printf 'cd %q && exec %q --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=snapshot="$(cat snapshot)" --file=%q --dbname=%q 2>>%q\n' \
      "$STATE_PG" "$(command -v psql)" "$number.out" "$(old_dsn)" errors >"$STATE_PG/$number.sh"
    {
      session_settings
      printf '%s\n' "${in//PROGRAM/"exec bash $STATE_PG/$number.sh"};"
    } >"$STATE_PG/$number.in"
    number=$((number + 1))
    printf '%s\n' "$table"
  done <"$STATE_PG/pieces" | uniq >"$STATE_PG/tables"
}

# Dumps old's database, but for the rows of the big tables: dump_old NAME OPTION... Not compressed: the disk is quicker than one core.
dump_old() {
  local table jobs=$WORKERS
  local -a without=()
  while IFS= read -r table; do without+=(--exclude-table-data="$table"); done <"$STATE_PG/tables"
  # Beside the streams of big tables, one is enough for the others.
  [[ ! -s $STATE_PG/pieces ]] || jobs=1
  as_postgres pg_dump --format=directory --jobs="$jobs" --compress=0 --no-sync "${without[@]}" "${@:2}" \
    --file="$DUMP/$1" --dbname="$(old_dsn)" || failure "pg_dump: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# Restores one section of a dump here: restore_section NAME SECTION OPTION...
restore_section() {
  as_postgres pg_restore --section="$2" --exit-on-error --port="$PGPORT" "${@:3}" "$DUMP/$1" || failure "pg_restore: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# Makes the database here, with tables, owners, grants, extensions and its own and its roles' settings, but without rows.
make_tables() {
  local there
  there=$(sql --set=name="$DATABASE" postgres <<<"select count(*) from pg_database where datname = :'name'")
  [[ $there == 0 ]] || failure "the database $DATABASE is on new already, and not by this move: rename or drop it there, then run 'pulumi up' again"
  rm -rf -- "$DUMP"
  install -d -m 700 -o postgres "$DUMP"
  plan_pieces
  dump_old tables --section=pre-data
  table_statements tables >"$STATE_PG/tables.sql"
  : >"$STATE/copy"
  restore_section tables pre-data --create --dbname=postgres
}

# The statements that make a dump's tables, without what differs from run to run.
table_statements() {
  restore_section "$1" pre-data --create --file=- | grep -Ev '^(--|\\(un)?restrict )'
}

# Ends the copy where old's tables are not those that were made here: somebody has changed them since.
refuse_changed_tables() {
  table_statements rows | cmp -s - "$STATE_PG/tables.sql" ||
    failure "the tables of $DATABASE on old were changed while the copy began (a deploy, a migration?): run 'pulumi up' again"
}

# Streams the rows of the big tables from old into new, WORKERS pieces at a time: new's server runs the psql that reads them.
stream_pieces() {
  local psql="psql --no-psqlrc --set=ON_ERROR_STOP=1"
  [[ -s $STATE_PG/pieces ]] || return 0
  : >"$STATE_PG/errors"
  chown postgres: "$STATE_PG/errors"
  seq 0 $(($(wc -l <"$STATE_PG/pieces") - 1)) | as_postgres xargs --max-procs="$WORKERS" --replace={} bash -c \
    "$psql --port='$PGPORT' --dbname=\"\$1\" --file='$STATE_PG/{}.in' >'$STATE_PG/{}.tag' || exit 255" piece "$DATABASE" ||
    failure "streaming the rows of big tables: $(tail -n 1 "$STATE_PG/errors" | cut -c 1-200) $(tail -n 1 "$LOG" | cut -c 1-200)"
}

# Rows of the big tables as new's server counted them while it wrote them: name<TAB>count.
streamed_counts() {
  local number=0 table rest
  while IFS=$'\t' read -r table rest; do
    printf '%s\t%s\n' "$table" "$(sed -n 's/^COPY //p' "$STATE_PG/$number.tag")"
    number=$((number + 1))
  done <"$STATE_PG/pieces" | awk -F '\t' -v OFS='\t' '{ rows[$1] += $2 } END { for (table in rows) print table, rows[table] }'
}

# Brings the rows here, then keys, indexes, triggers and materialized views.
copy_rows() {
  local watcher streaming
  watch_bytes copy "$SIZE" restored_bytes &
  watcher=$!
  stream_pieces &
  streaming=$!
  dump_old rows --snapshot="$SNAPSHOT"
  refuse_changed_tables
  restore_section rows data --jobs="$WORKERS" --dbname="$DATABASE"
  wait "$streaming" || exit 1
  restore_section rows post-data --jobs="$WORKERS" --dbname="$DATABASE"
  end_watch "$watcher"
}

# Rows of every table of the copy.
count_new() {
  streamed_counts >"$STATE/counts.new"
  sql --field-separator=$'\t' --set=known="$(cut -f 1 "$STATE/counts.new")" "$DATABASE" <<<"$COUNTS" >"$STATE/counts.rest"
  cat "$STATE/counts.rest" >>"$STATE/counts.new"
}

# Compares them with old's.
compare_counts() {
  local differences
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

# Statistics of the site's tables for the planner, WORKERS tables at a time.
analyze() {
  sql "$DATABASE" <<<"$ANALYZED" | as_postgres xargs --no-run-if-empty --delimiter='\n' --max-procs="$WORKERS" --replace={} \
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --port="$PGPORT" --dbname="$DATABASE" --command='analyze {}' || failure "analyze: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# All that can be done while users are still served.
prepare_copy() {
  use_server_programs
  SIZE=$(gate database-size)
  open_copy_role
  tune_for_restore
  make_tables
  open_session
}

# The rows. The database has no writer while it runs. Old's rows are still being counted when it returns, and new's statistics
# made (check_copy), for neither needs the app to be away.
copy_database() {
  local began=$SECONDS
  progress "copying the database $DATABASE, $(human "$SIZE")"
  hold_snapshot
  copy_rows
  count_new
  gate counts >"$STATE/counts.old" &
  COUNTING=$!
  analyze &
  ANALYZING=$!
  result copySeconds $((SECONDS - began))
}

# Before users come: the copy is whole, on disk, and the planner knows it.
check_copy() {
  wait "$COUNTING" || failure "old's rows could not be counted: $(tail -n 1 "$LOG" | cut -c 1-300)"
  compare_counts
  wait "$ANALYZING" || exit 1
  flush_copy
  progress "copied and compared"
}

# What the copy needed and the site does not: settings, role, files.
tidy_copy() {
  (untune) || progress "the settings of new's PostgreSQL could not be put back: on new, as postgres: ALTER SYSTEM RESET max_wal_size, checkpoint_timeout, autovacuum, wal_init_zero"
  (close_copy_role) || progress "the copy's role on old could not be removed: on old, as postgres: DROP ROLE \"changeover_$MOVE\""
}

# Removes the copy from new; a database of that name that is not this move's stays.
drop_copy() {
  [[ -e $STATE/copy ]] || return 0
  sql --set=name="$DATABASE" postgres <<<'drop database if exists :"name" with (force)'
  rm -f "$STATE/copy"
}
