# PgBouncer as it was.
# shellcheck shell=bash
undo_step() {
  local enabled=disabled active=inactive
  [[ ! -e $STATE/unit.pgbouncer.service ]] || read -r enabled active <"$STATE/unit.pgbouncer.service" || true
  systemctl stop pgbouncer.service || true
  rm -f /etc/systemd/system/pgbouncer.service.d/changeover.conf
  restore_saved
  systemctl daemon-reload
  [[ $enabled == enabled ]] || systemctl disable pgbouncer.service || true
  [[ $active != active ]] || systemctl start pgbouncer.service
}
