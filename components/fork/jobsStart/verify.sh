# All run that start at boot.
# shellcheck shell=bash
verify_step() {
  local unit
  [[ ! -e $GUARD_STATE/copy ]] || die "$GUARD_STATE/copy: should be gone, for it keeps jobs and cron off"
  for unit in $(job_units); do
    # A job may do its work once and end.
    ! systemctl is-enabled --quiet -- "$unit" || ! systemctl is-failed --quiet -- "$unit" || die "$unit: should run on the copy, but has failed; journalctl -u $unit says why"
  done
}
