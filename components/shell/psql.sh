# PostgreSQL's client. Used by steps, by old's gate and by looks; PGPORT is set above, or 5432.
# shellcheck shell=bash

# What no session of ours takes from the settings of a role or a database, as PGOPTIONS.
readonly OUR_SESSION='-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c default_transaction_read_only=off -c default_transaction_isolation=read\ committed'

# Statements by which the move's role takes nothing from the settings of a database either: so do the sessions that PostgreSQL itself
# opens for a subscription.
role_settings() {
  cat <<SQL
select format('alter role "changeover_$MOVE" set %I to %L', name, value) from (values ('statement_timeout', '0'), ('lock_timeout', '0'),
  ('transaction_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),
  ('default_transaction_read_only', 'off'), ('default_transaction_isolation', 'read committed')) v (name, value)
  join pg_settings using (name) \\gexec
SQL
}

# Puts the psql to start into PSQL. Debian's own looks for a cluster and for the newest client at each start, and takes longer for that
# than most statements take to run. Where the only cluster listens at its usual place, the newest client is all that it can find.
# No program is started for this.
choose_psql() {
  local dir file version newest=0
  local -a clusters=(/etc/postgresql/*/*/postgresql.conf) path
  PSQL=psql
  [[ -z ${PGHOST:-}${PGCLUSTER:-} && -S /var/run/postgresql/.s.PGSQL.${PGPORT:-5432} ]] || return 0
  ((${#clusters[@]} == 1)) && [[ -e ${clusters[0]} ]] || return 0
  IFS=: read -ra path <<<"$PATH"
  for dir in "${path[@]}"; do [[ ! -x $dir/psql ]] || break; done
  [[ $dir/psql -ef /usr/share/postgresql-common/pg_wrapper ]] || return 0
  for file in /usr/lib/postgresql/*/bin/psql; do
    version=${file#/usr/lib/postgresql/}
    version=${version%%[./]*}
    if [[ -x $file && $version =~ ^[0-9]+$ ]] && ((10#$version > newest)); then
      newest=$((10#$version))
      PSQL=$file
    fi
  done
}

# Runs psql as the superuser: superuser_psql OPTIONS... What PGOPTIONS has from the caller counts more than what is ours.
superuser_psql() {
  local PSQL
  choose_psql
  PGOPTIONS="$OUR_SESSION ${PGOPTIONS:-}" runuser -u postgres -- "$PSQL" --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --port="${PGPORT:-5432}" "$@"
}
