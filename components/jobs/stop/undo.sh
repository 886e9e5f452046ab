# Starts the background jobs again, as they were.
# shellcheck shell=bash
undo_step() {
  local unit
  for unit in "${JOBS[@]}"; do restore_unit "$unit"; done
}
