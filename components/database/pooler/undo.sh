# PgBouncer as it was.
# shellcheck shell=bash
undo_step() {
  local enabled active
  # A run that was killed before it had recorded this has changed nothing.
  [[ -e $STATE/unit.pgbouncer.service ]] || return 0
  read -r enabled active <"$STATE/unit.pgbouncer.service" || true
  systemctl stop pgbouncer.service || true
  rm -f /etc/systemd/system/pgbouncer.service.d/changeover.conf
  restore_saved
  systemctl daemon-reload
  [[ $enabled == enabled ]] || systemctl disable pgbouncer.service || true
  [[ $active != active ]] || systemctl start pgbouncer.service
}
