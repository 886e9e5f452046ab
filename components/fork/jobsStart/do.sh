# Jobs and cron start on the copy: those that started at boot on old.
# shellcheck shell=bash
do_step() {
  local unit
  rm -f -- "$GUARD_STATE/copy"
  for unit in $(job_units); do
    ! systemctl is-enabled --quiet -- "$unit" || systemctl start -- "$unit"
  done
}
