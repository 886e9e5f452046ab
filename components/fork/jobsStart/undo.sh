# They stop on the copy, and stay off over a reboot.
# shellcheck shell=bash
undo_step() {
  local unit
  : >"$GUARD_STATE/copy"
  for unit in $(job_units); do systemctl stop -- "$unit"; done
}
