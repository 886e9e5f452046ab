# Restarts old's PostgreSQL so that it can be followed, while the app's statements wait in PgBouncer. Nothing to do where it can be.
# shellcheck shell=bash
do_step() {
  local began
  [[ $(gate wal-level) != logical ]] || return 0
  began=$(date +%s%3N)
  behind_hold decode-wal
  result restartMilliseconds $(($(date +%s%3N) - began))
}

# Runs a request of the gate while the app's statements wait; whatever becomes of this script, they go on after the limit.
behind_hold() {
  local unit
  unit=$(unit_name)-resume
  systemctl stop "$unit.timer" 2>/dev/null || true
  systemd-run --quiet --collect --unit="$unit" --on-active="$HOLD_LIMIT" runuser -u postgres -- \
    psql --no-psqlrc --quiet --host=/var/run/postgresql --port="$POOLER_PORT" --username=pgbouncer --dbname=pgbouncer --command="resume"
  (
    trap 'resume_app' EXIT
    pause_app
    gate "$1" || die "PostgreSQL on old could not be restarted: $(tail -n 1 "$LOG" | cut -c 1-300). On old: journalctl -u postgresql"
  )
  systemctl stop "$unit.timer" 2>/dev/null || true
}
