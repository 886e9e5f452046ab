# Stops the app on new.
# shellcheck shell=bash
undo_step() {
  local unit
  for unit in "${WEB[@]}"; do
    stop_units "$unit" || true
    restore_units "$unit"
  done
}
