# Copies the database from old to new over TLS. While users are still served: the tables, the rows of big ones with their keys.
# When nobody writes any more: what was written to those since, and all the rest, by pg_dump and pg_restore.
# DATABASE, WORKERS, BIG (bytes), COPY_RATE (bytes a second, 0: no limit), STREAMS, KEYS and ANALYZED (SQL) are set above.
# shellcheck shell=bash

readonly DUMP=${DUMP_FOLDER:-/var/lib/postgresql}/changeover-$MOVE.dump
# Only postgres enters it: the password of the copy's role, and the statements of the pieces.
readonly STATE_PG=$DUMP.private
# Rows of big tables stream in WORKERS pieces or more, of this many bytes at most.
readonly PIECE_BYTES=1000000000
# Whether what the copy does now gives way to users: yes where it is held to COPY_RATE, while they are served.
GENTLE=no

# How the copy reaches old's database: its own role, whose password is in a file that only postgres reads. A cut network is noticed
# within a minute.
old_dsn() {
  printf "host=%s port=%s dbname='%s' user=changeover_%s sslmode=require keepalives_idle=20 keepalives_interval=5 keepalives_count=6 passfile=%s" "$(ip_of "$OLD_ADDRESS")" "$PGPORT" "${DATABASE//\'/\\\'}" "$MOVE" "$STATE_PG/pass"
}

# Makes a new password, in PASSWORD and in a file that only postgres reads.
make_password() {
  rm -rf -- "$STATE_PG"
  install -d -m 700 -o postgres "$STATE_PG"
  PASSWORD=$(openssl rand -hex 24)
  (umask 077 && printf '*:*:*:*:%s\n' "$PASSWORD" >"$STATE_PG/pass")
  chown postgres: "$STATE_PG/pass"
}

# Makes the copy's role on old; its password lives in files of this run only.
open_copy_role() {
  make_password
  gate copy-role <<<"$PASSWORD"
}

# Removes the copy's role and its password, and the dump.
close_copy_role() {
  rm -rf -- "$STATE_PG" "$DUMP"
  gate drop-copy-role
}

# New's server does not read tables again and again while they are filled. More room for its log would make the copy slower: pieces of
# the log that are used again are on the disk already.
tune_for_restore() {
  sql postgres <<'SQL'
alter system set autovacuum = off;
select pg_reload_conf() \g /dev/null
SQL
}

# The server's settings as they were.
untune() {
  sql postgres <<'SQL'
alter system reset autovacuum;
select pg_reload_conf() \g /dev/null
SQL
}

# Writes progress while a command runs: watch_bytes WHAT TOTAL COMMAND..., where COMMAND prints the bytes that are done, and after
# them what else there is to say.
watch_bytes() {
  local what=$1 total=$2 began=$SECONDS from done_ also seconds
  shift 2
  from=$("$@" 2>/dev/null) || from=0
  from=${from%% *}
  while sleep 3; do
    done_=$("$@" 2>/dev/null) || continue
    read -r done_ also <<<"$done_"
    seconds=$((SECONDS - began))
    ((seconds > 0 && done_ > from)) || continue
    progress "$what: ${also:+$also, }$(human "$done_") of about $(human "$total"), $(human $(((done_ - from) / seconds)))/s, about $(((total > done_ ? total - done_ : 0) * seconds / (done_ - from))) s left"
  done
}

# Bytes of the new database so far.
restored_bytes() {
  sql --set=name="$DATABASE" postgres <<<"select pg_database_size(:'name')"
}

# Runs a client program of PostgreSQL as postgres, in a folder it may enter. It does not look for certificates at the caller's home,
# which it may not enter.
as_postgres() {
  local helpers=1
  [[ $GENTLE == no ]] || helpers=0
  (cd / && unset HOME && PGCONNECT_TIMEOUT=5 PGOPTIONS="$OUR_SESSION -c synchronous_commit=off -c maintenance_work_mem=512MB -c max_parallel_maintenance_workers=$helpers -c lock_timeout=60s" \
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

# Holds one view of old's database open in the session with old, in place of the one before: every part of the copy reads the same
# rows. What was written to them later has a transaction that is not older than the horizon.
hold_snapshot() {
  local snapshot
  ask old "rollback; begin isolation level repeatable read read only;
    select pg_export_snapshot(); select txid_snapshot_xmin(txid_current_snapshot()) % 4294967296;"
  { read -r snapshot && read -r HORIZON; } <<<"$ANSWER"
  printf '%s' "$snapshot" >"$STATE_PG/snapshot"
}

# What a session needs so that rows come out, and go in, as pg_dump writes them.
session_settings() {
  cat <<'SQL'
select set_config(name, value, false) from (
  values ('search_path', ''), ('datestyle', 'ISO'), ('intervalstyle', 'postgres'), ('extra_float_digits', '3'),
    ('xmloption', 'content'), ('client_encoding', getdatabaseencoding()), ('standard_conforming_strings', 'on'),
    ('default_transaction_isolation', 'read committed'), ('default_transaction_read_only', 'off')
  union all select name::text, '0' from pg_settings
    where name in ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')
) v(name, value) \g /dev/null
SQL
}

# From here on the copy gives way to users, if it is held to a rate.
be_gentle() {
  ((COPY_RATE == 0)) || GENTLE=yes
}

# Leaves a process, and what it starts from now on, the CPU time that others do not want: give_way PID. Linux may count each session of
# processes as one (autogroup), in which nice alone changes nothing, and hears a user of one ten times a second. Also run by sh.
give_way() {
  renice -n 19 -p "$1" >/dev/null 2>&1 || return 0
  for _ in 1 2 3 4 5 6 7 8 9; do
    if [ ! -e "/proc/$1/autogroup" ] || { echo 19 >"/proc/$1/autogroup"; } 2>/dev/null; then break; fi
    sleep 0.15
  done
}

# The server process of a session, in what that has a shell run.
# shellcheck disable=SC2016 # expands there
readonly ITSELF='"$PPID"'

# SQL: a process of the server that is asked gives way: gives_way PID
gives_way() {
  # shellcheck disable=SC2016 # dollars quote for PostgreSQL
  printf 'copy (select 1 where false) to program $sh$%s; give_way %s$sh$;\n' "$(declare -f give_way)" "$1"
}

# Writes what every stream needs: number.out reads its rows on old, number.sh runs that, number.in has new's server write what it
# prints. Each line of `streams` is one: kind and table. Those of some kinds read no more than their share of COPY_RATE.
# plan_streams LIMITED
plan_streams() {
  local number=0 kind out in limit first buffer
  old_psql --field-separator=$'\t' --set=big="$BIG" --set=piece="$PIECE_BYTES" --set=workers="$WORKERS" <<<"$STREAMS" >"$STATE_PG/plan"
  : >"$STATE_PG/horizon"
  : >"$STATE_PG/errors"
  chown postgres: "$STATE_PG/errors"
  declare -f limit_rate >"$STATE_PG/limit"
  while IFS=$'\t' read -r kind _ out in; do
    limit='' first='' buffer=1M
    [[ $COPY_RATE == 0 || ! $kind =~ ^($1)$ ]] || {
      limit=" | limit_rate $(rate_of_each)"
      first=$(gives_way "$ITSELF")
      # More at a time would be a burst of work for old.
      buffer=32K
    }
    {
      session_settings
      printf '%s\n' "$first"
      printf '%s\n' 'begin isolation level repeatable read read only;' "set transaction snapshot :'snapshot';" "$out;" 'commit;'
    } >"$STATE_PG/$number.out"
    # psql would hand its rows on in parts of 4 kB.
    # shellcheck disable=SC2016 # expands when it runs
    printf 'set -o pipefail; cd %q && . ./limit && PGOPTIONS=%q stdbuf --output=%s %q --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=snapshot="$(cat snapshot)" --set=horizon="$(cat horizon)" --file=%q --dbname=%q 2>>%q%s\n' \
      "$STATE_PG" "$OUR_SESSION" "$buffer" "$(command -v psql)" "$number.out" "$(old_dsn)" errors "$limit" >"$STATE_PG/$number.sh"
    {
      session_settings
      printf '%s\n' "$first"
      printf '%s\n' "\\set program 'exec bash $STATE_PG/$number.sh'" "$in;"
    } >"$STATE_PG/$number.in"
    number=$((number + 1))
  done <"$STATE_PG/plan"
  cut -f 1,2 "$STATE_PG/plan" >"$STATE_PG/streams"
}

# What each of the streams, and the dump beside them, may read of COPY_RATE.
rate_of_each() {
  printf '%s' "$((COPY_RATE / (WORKERS + 1) + 1))"
}

# Passes stdin on, so many bytes a second at most, evenly: a burst would be felt by users. Perl is on every Debian system.
limit_rate() {
  perl -MTime::HiRes=time,sleep -e '
    my $rate = shift;
    my $next = time;
    my ($read, $part, $written);
    while ($read = sysread STDIN, $part, 16384) {
      for (my $done = 0; $done < $read; $done += $written) {
        $written = syswrite STDOUT, $part, $read - $done, $done;
        defined $written or die "limit_rate: $!\n";
      }
      my $now = time;
      $next += $read / $rate;
      if ($next > $now) { sleep $next - $now } elsif ($next < $now - 0.1) { $next = $now - 0.1 }
    }
    defined $read or die "limit_rate: $!\n";' "$1"
}

# Lets a dump write its share of COPY_RATE at most: its processes stand still while they are ahead of it. limit_dump NAME
limit_dump() {
  local began=${EPOCHREALTIME/[.,]/} bytes signal rate
  ((COPY_RATE > 0)) || return 0
  rate=$(rate_of_each)
  while sleep 0.1; do
    bytes=$(du -sb -- "$DUMP/$1" 2>/dev/null) || continue
    signal=CONT
    ((${bytes%%$'\t'*} <= rate * (${EPOCHREALTIME/[.,]/} - began) / 1000000)) || signal=STOP
    pkill --signal "$signal" --full "pg_dump .*$DUMP/$1 " || true
  done
}

# The tables of some kinds of streams, each once.
streamed_tables() {
  grep -E "^($1)"$'\t' "$STATE_PG/streams" | cut -f 2 | sort -u || true
}

# Streams rows of some tables (a file names them) from old into new, WORKERS streams of a kind at a time: new's server runs the psql
# that reads them. stream KIND TABLES [STATEMENT], where STATEMENT runs in the transaction of each stream, {} in it is its number.
stream() {
  awk -F '\t' -v kind="$1" -v tables="$2" 'BEGIN { while ((getline name <tables) > 0) wanted[name] = 1 }
    $1 == kind && ($2 in wanted) { print NR - 1 }' "$STATE_PG/streams" |
    as_postgres xargs --no-run-if-empty --max-procs="$WORKERS" --replace={} bash -c \
      "psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=record=\"\$2\" --port='$PGPORT' --dbname=\"\$1\" --file='$STATE_PG/{}.in' || exit 255" stream "$DATABASE" "${3:-}" ||
    failure "streaming the rows of big tables: $(tail -n 1 "$STATE_PG/errors" | cut -c 1-200) $(tail -n 1 "$LOG" | cut -c 1-200)"
}

# Dumps old's database, but for the rows of the big tables: dump_old NAME OPTION... Not compressed: the disk is quicker than one core.
dump_old() {
  local table jobs=$WORKERS
  local -a without=()
  while IFS= read -r table; do without+=(--exclude-table-data="$table"); done < <(streamed_tables 'ahead|late')
  # Beside the streams of big tables, one is enough for the others.
  ((${#without[@]} == 0)) || jobs=1
  as_postgres pg_dump --format=directory --jobs="$jobs" --compress=0 --no-sync "${without[@]}" "${@:2}" \
    --file="$DUMP/$1" --dbname="$(old_dsn)" || failure "pg_dump: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# Restores from a dump here: restore NAME OPTION...
restore() {
  as_postgres pg_restore --exit-on-error --port="$PGPORT" "${@:2}" "$DUMP/$1" || failure "pg_restore: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# Runs statements on the database here, in one session, which gives way; they come by stdin.
gentle_session() {
  { gives_way "$ITSELF" && cat; } |
    as_postgres psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --port="$PGPORT" --dbname="$DATABASE" >/dev/null
}

# Makes what stands behind the rows, by a list of a dump's contents, JOBS things at a time, or one by one where that gives way:
# restore_behind NAME LIST JOBS
restore_behind() {
  local -a options=(--use-list="$2" --section=post-data)
  if [[ $GENTLE == yes ]]; then
    restore "$1" "${options[@]}" --file=- | gentle_session ||
      failure "restoring keys and indexes: $(tail -n 1 "$LOG" | cut -c 1-300)"
  else
    restore "$1" "${options[@]}" --jobs="$3" --dbname="$DATABASE"
  fi
}

# 1 where the database is here, 0 where it is not.
database_here() {
  sql --set=name="$DATABASE" postgres <<<"select count(*) from pg_database where datname = :'name'"
}

# Dumps old's tables and keys without rows; options are pg_dump's.
dump_tables() {
  rm -rf -- "$DUMP"
  install -d -m 700 -o postgres "$DUMP"
  dump_old tables --schema-only "$@"
}

# Makes the database here, with tables, owners, grants, extensions and its own and its roles' settings, but without rows; options
# are pg_dump's.
make_tables() {
  [[ $(database_here) == 0 ]] || failure "the database $DATABASE is on new already, and not by this move: rename or drop it there, then run 'pulumi up' again"
  dump_tables "$@"
  statements tables >"$STATE_PG/tables.sql"
  : >"$STATE/copy"
  restore tables --section=pre-data --create --dbname=postgres
}

# The statements that make a dump's tables and keys, without what differs from run to run, or where the dump has rows.
statements() {
  restore "$1" --schema-only --create --file=- | grep -Ev '^(--|\\(un)?restrict |REFRESH MATERIALIZED VIEW |$)'
}

# Ends the copy where old's tables are not those that were made here: somebody has changed them since.
refuse_changed_tables() {
  statements rows | cmp -s - "$STATE_PG/tables.sql" ||
    failure "the tables of $DATABASE on old were changed while the copy began (a deploy, a migration?): run 'pulumi up' again"
}

# A dump's list of contents, with or without the keys of the tables that are copied ahead: contents NAME ahead|late. A comment is
# restored with what stands before it.
contents() {
  restore "$1" --list | awk -v want="$2" -v keys="$STATE_PG/keys" 'BEGIN { while ((getline key <keys) > 0) ahead[key] = 1 }
    $4 !~ /^(COMMENT|ACL|SECURITY)$/ { wanted = (($2 " " $3) in ahead) == (want == "ahead") }
    /^;/ || wanted'
}

# Copies the rows of big tables that have a key, and their keys, while users still write.
copy_ahead() {
  local tables=$STATE_PG/ahead watcher
  streamed_tables ahead >"$tables"
  streamed_tables late >"$STATE_PG/late"
  : >"$STATE_PG/keys"
  [[ -s $tables ]] || return 0
  be_gentle
  progress "copying big tables of $DATABASE, $(human "$SIZE") in all, while users are served"
  watch_bytes copy "$SIZE" restored_bytes &
  watcher=$!
  old_psql --set=names="$(cat "$tables")" <<<"$KEYS" >"$STATE_PG/keys"
  hold_snapshot
  printf '%s' "$HORIZON" >"$STATE_PG/horizon"
  stream ahead "$tables"
  # Old keeps every dead row while a view is held.
  ask old 'rollback;'
  contents tables ahead >"$STATE_PG/contents"
  restore_behind tables "$STATE_PG/contents" "$WORKERS"
  analyze 'vacuum analyze' <"$tables"
  GENTLE=no
  end_watch "$watcher"
}

# Brings all other rows here, and what has changed in those that are here; then the other keys, triggers, materialized views.
copy_rest() {
  local watcher streaming counting
  watch_bytes copy "$SIZE" restored_bytes &
  watcher=$!
  gate counts >"$STATE/counts.old" &
  counting=$!
  stream_rest &
  streaming=$!
  dump_old rows --snapshot="$(cat "$STATE_PG/snapshot")"
  refuse_changed_tables
  make_large_objects
  restore rows --section=data --jobs="$WORKERS" --dbname="$DATABASE"
  wait "$streaming" || exit 1
  wait "$counting" || failure "old's rows could not be counted: $(tail -n 1 "$LOG" | cut -c 1-300)"
  count_new
  remove_deleted
  restore_behind_rows
  end_watch "$watcher"
}

# The other keys and all that comes behind the rows.
restore_behind_rows() {
  split_turns rows
  restore_turns rows 1 2 3
}

# Splits what comes behind a dump's rows into turns: indexes and keys; then partitions' indexes join their parents' one by one, for
# beside a foreign key or a refresh each can wait for the other for ever; then the rest.
split_turns() {
  rm -f "$STATE_PG"/turn[123]
  contents "$1" late | awk -v file="$STATE_PG/turn" '
    $4 !~ /^(COMMENT|ACL|SECURITY)$/ { turn = $4 " " $5 == "INDEX ATTACH" ? 2 : $4 ~ /^(INDEX|CONSTRAINT)$/ ? 1 : 3 }
    { print >(file turn) }'
}

# Restores some turns of a dump: restore_turns NAME TURN...
restore_turns() {
  local turn jobs
  for turn in "${@:2}"; do
    [[ -s $STATE_PG/turn$turn ]] || continue
    jobs=$WORKERS
    ((turn != 2)) || jobs=1
    restore_behind "$1" "$STATE_PG/turn$turn" "$jobs"
  done
}

# Large objects without their content: before PostgreSQL 17, they stand among the tables of a dump.
make_large_objects() {
  restore rows --list | awk '$4 == "BLOB" && $5 == "-"' >"$STATE_PG/objects"
  [[ ! -s $STATE_PG/objects ]] || restore rows --use-list="$STATE_PG/objects" --dbname="$DATABASE"
}

# The rows that changed since they were copied ahead, and the rows of big tables without a key.
stream_rest() {
  stream change "$STATE_PG/ahead"
  stream late "$STATE_PG/late"
}

# Rows of every table of the copy.
count_new() {
  sql --field-separator=$'\t' "$DATABASE" <<<"$COUNTS" >"$STATE/counts.new"
}

# Lines that differ between old's counts and new's: < old, > new.
different_counts() {
  diff <(sort "$STATE/counts.old") <(sort "$STATE/counts.new") | grep '^[<>]' || true
}

# Tables that were copied ahead and have other counts now lost rows since: those go from new, too.
remove_deleted() {
  different_counts | sed -n 's/^< //p' | cut -f 1 | sort | comm -12 - "$STATE_PG/ahead" >"$STATE_PG/shrunk"
  [[ -s $STATE_PG/shrunk ]] || return 0
  stream keys "$STATE_PG/shrunk"
  count_new
}

# Every table has as many rows as old's.
compare_counts() {
  local differences
  differences=$(different_counts | head -n 3 | tr '\n\t' '; ')
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

# Statistics for the planner, WORKERS tables at a time, or one by one where that gives way; the tables come by stdin, the command
# (analyze, vacuum analyze) as argument.
analyze() {
  if [[ $GENTLE == yes ]]; then
    sed "s/.*/$1 &;/" | gentle_session
  else
    as_postgres xargs --no-run-if-empty --delimiter='\n' --max-procs="$WORKERS" --replace={} \
      psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --port="$PGPORT" --dbname="$DATABASE" --command="$1 {}"
  fi || failure "$1: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# The tables that have no statistics yet.
analyze_rest() {
  sql "$DATABASE" <<<"$ANALYZED" | awk -v ahead="$STATE_PG/ahead" 'BEGIN { while ((getline table <ahead) > 0) done[table] = 1 } !($0 in done)' |
    analyze analyze
}

# All that can be done while users are still served.
prepare_copy() {
  COPY_SINCE=$SECONDS
  use_server_programs
  SIZE=$(gate database-size)
  open_copy_role
  tune_for_restore
  plan_streams ahead
  make_tables --lock-wait-timeout=60s
  open_session old old_psql
  ask old "$(session_settings)"
  copy_ahead
}

# The rest. The database has no writer while it runs. New's statistics are still being made when it returns (check_copy).
copy_database() {
  progress "copying the rest of $DATABASE"
  hold_snapshot
  copy_rest
  compare_counts
  analyze_rest &
  ANALYZING=$!
  result copySeconds $((SECONDS - COPY_SINCE))
}

# Before users come: the copy is on disk, and the planner knows it.
check_copy() {
  wait "$ANALYZING" || exit 1
  flush_copy
  progress "copied and compared"
}

# What the copy needed and the site does not: settings, role, files.
tidy_copy() {
  (untune) || progress "the settings of new's PostgreSQL could not be put back: on new, as postgres: ALTER SYSTEM RESET autovacuum"
  (close_copy_role) || progress "the copy's role on old could not be removed: on old, as postgres: DROP ROLE \"changeover_$MOVE\""
}

# Removes the copy from new; a database of that name that is not this move's stays.
drop_copy() {
  [[ -e $STATE/copy ]] || return 0
  sql --set=name="$DATABASE" postgres <<<'drop database if exists :"name" with (force)'
  rm -f "$STATE/copy"
}
