# They run on old again, as they did.
# shellcheck shell=bash
undo_step() {
  local unit
  for unit in $(job_units); do restore_units "$unit"; done
}
