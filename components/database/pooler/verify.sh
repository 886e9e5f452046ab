# PgBouncer answers, and leads the database somewhere.
# shellcheck shell=bash
verify_step() {
  systemctl is-active --quiet pgbouncer.service || die "pgbouncer.service: should run on $SIDE; see journalctl -u pgbouncer"
  [[ -n $(pooler_host) ]] || die "$POOLER_INI: should lead the database $DATABASE somewhere"
  pooler_command 'show version' >/dev/null || die "PgBouncer on $SIDE: should answer on port $POOLER_PORT"
}
