# PgBouncer on new, the app's way to the database: where it leads to, and how its statements wait. DATABASE, ROLES, POOLER_PORT are set
# above.
# shellcheck shell=bash

readonly POOLER_INI=/etc/pgbouncer/pgbouncer.ini

# The database's line, leading to a host. PgBouncer cannot read every name there: one that it cannot goes as "all".
pooler_line() {
  local name='*'
  [[ ! $DATABASE =~ ^[A-Za-z0-9_.-]+$ ]] || name=$DATABASE
  printf '%s = host=%s port=%s' "$name" "$1" "$PGPORT"
}

# Where the database's line leads to.
pooler_host() {
  sed -n '/^\[databases]$/,/^\[/s/^[^ ]* = host=\([^ ]*\) port=[0-9]*$/\1/p' "$POOLER_INI"
}

# Leads the database to a host, once PgBouncer reads its file again.
pooler_lead() {
  local host=$1 line content=
  while IFS= read -r line; do
    [[ ! $line =~ ^[^\ ]+\ =\ host= ]] || line=$(pooler_line "$host")
    content+=$line$'\n'
  done <"$POOLER_INI"
  printf '%s' "$content" | replace_file "$POOLER_INI"
}

# One command to PgBouncer itself; it trusts the system's user that it runs as.
pooler_command() {
  (cd / && runuser -u postgres -- env PGCONNECT_TIMEOUT=5 PATH="$PATH" timeout 60 psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
    --host=/var/run/postgresql --port="$POOLER_PORT" --username=pgbouncer --dbname=pgbouncer --command="$1")
}

# The app's statements wait, those that run are finished first.
pause_app() {
  pooler_command 'pause'
}

# They go on.
resume_app() {
  local answer
  # Nothing to do where it was not paused, as after a restart of PgBouncer.
  answer=$(pooler_command 'resume' 2>&1) || [[ $answer == *"not paused"* ]] || {
    printf '%s\n' "$answer"
    return 1
  }
}
