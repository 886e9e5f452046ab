# PgBouncer on new, the app's way to the database: where it leads to, and how its statements wait. DATABASE, ROLES, POOLER_PORT,
# POOLER_MODE are set above.
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

# PgBouncer's file, with the database led to a host; what leads there holds once PgBouncer reads it again.
pooler_file() {
  local line
  while IFS= read -r line; do
    [[ ! $line =~ ^[^\ ]+\ =\ host= ]] || line=$(pooler_line "$1")
    printf '%s\n' "$line"
  done <"$POOLER_INI"
}

# psql with PgBouncer itself, for so many seconds at most; it trusts the system's user that it runs as. pooler_psql SECONDS OPTIONS...
pooler_psql() {
  (cd / && runuser -u postgres -- env PGCONNECT_TIMEOUT=5 PATH="$PATH" timeout "$1" psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
    --host=/var/run/postgresql --port="$POOLER_PORT" --username=pgbouncer --dbname=pgbouncer "${@:2}")
}

# One command to PgBouncer.
pooler_command() {
  pooler_psql 60 --command="$1"
}

# The app's statements wait, those that run are finished first. With session pooling, a pause would wait until clients log out: PgBouncer
# stops reading from them, for as long as the session with it lives that asks for it.
pause_app() {
  local answer
  [[ $POOLER_MODE != session ]] || {
    open_session pooler pooler_psql "$DEADLINE"
    ask pooler 'suspend;'
    return
  }
  answer=$(pooler_command 'pause' 2>&1) || [[ $answer == *"already"*"paused"* ]] || {
    printf '%s\n' "$answer"
    return 1
  }
}

# PgBouncer reads from clients again: while it does not, it takes no command from anybody who was not there before.
wake_pooler() {
  [[ $POOLER_MODE != session ]] || systemctl kill --signal=SIGUSR2 pgbouncer.service || true
}

# They go on.
resume_app() {
  local answer
  wake_pooler
  # Nothing to do where it was not paused, as after a restart of PgBouncer.
  answer=$(pooler_command 'resume' 2>&1) || [[ $answer == *"not paused"* ]] || {
    printf '%s\n' "$answer"
    return 1
  }
}
