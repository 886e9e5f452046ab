# Stops the background jobs on new.
# shellcheck shell=bash
undo_step() {
  local unit
  for unit in "${JOBS[@]}"; do
    systemctl disable --now -- "$unit"
    restore_unit "$unit"
  done
}
