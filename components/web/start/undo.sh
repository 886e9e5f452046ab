# Stops the app on new.
# shellcheck shell=bash
undo_step() {
  local unit
  for unit in "${WEB[@]}"; do
    systemctl disable --now -- "$unit" || true
    restore_unit "$unit"
  done
}
