# Makes the role with which one comparison reads, keeps it while somebody is there, and removes it. Prints `ready`, a tab, and the
# file with PostgreSQL's login rules. PGPORT, DATABASE, VERIFIER are set above. VERIFIER is no password: nobody can log in with it.
# shellcheck shell=bash
set -Eeuo pipefail

# Not the name of a move's role: those have no underscore after changeover_.
readonly ROLE=changeover_compare_reader
readonly LOCK=/run/changeover-compare.lock
# Seconds without a line from the operator's machine, which sends one every few seconds, until it counts as gone.
readonly SILENCE=30

# Runs psql as the superuser; statements come by stdin and are not logged.
sql() {
  {
    printf '%s\n' "set log_statement = 'none'; set log_min_duration_statement = -1; set log_min_error_statement = 'panic';"
    cat
  } | runuser -u postgres -- psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --set=role="$ROLE" \
    --set=database="$DATABASE" --port="$PGPORT" --dbname=postgres
}

# Removes the role with all that it was given, also one that a killed comparison left.
remove_role() {
  sql <<'SQL'
select pg_terminate_backend(pid) from pg_stat_activity where usename = :'role' \g /dev/null
select format('drop owned by %I', rolname), format('drop role %I', rolname) from pg_roles where rolname = :'role' \gexec
SQL
}

# Makes the role: it reads everything, past row level security. It may log in for two minutes, over one connection.
# Before PostgreSQL 14 nobody but a superuser may read everything without a grant on each table.
make_role() {
  {
    printf "\\\\set verifier '%s'\n" "$VERIFIER"
    cat <<'SQL'
select format('create role %I login bypassrls connection limit 1 valid until %L password %L',
  :'role', now() + interval '2 minutes', :'verifier') \gexec
alter role :"role" set default_transaction_read_only = on;
select case when current_setting('server_version_num')::int >= 140000 then format('grant pg_read_all_data to %I', :'role')
  else format('alter role %I superuser', :'role') end \gexec
select format('grant connect on database %I to %I', :'database', :'role')
  where not has_database_privilege(:'role', :'database', 'connect') \gexec
SQL
  } | sql
}

main() {
  cd /
  exec 9>"$LOCK"
  if ! flock --nonblock 9; then
    printf 'another comparison is at work on this server\n' >&2
    exit 75
  fi
  trap '' HUP INT PIPE
  trap remove_role EXIT
  remove_role
  if [[ -z $(sql <<<"select 1 from pg_database where datname = :'database'") ]]; then
    printf 'there is no database %s\n' "$DATABASE" >&2
    exit 1
  fi
  make_role
  printf 'ready\t%s\n' "$(sql <<<'show hba_file')"
  while IFS= read -r -t "$SILENCE" _; do :; done
  # Without this, bash would wait for more of its script, which comes by the same connection.
  exit 0
}

main
