# Stops the background jobs on new, and tells old when its timers are due.
# shellcheck shell=bash
undo_step() {
  local unit
  for unit in "${JOBS[@]}"; do
    stop_units "$unit"
    [[ $unit != *.timer ]] || hand_back "$unit"
    rm -f "$STATE/handed.$unit"
    restore_units "$unit"
  done
}
