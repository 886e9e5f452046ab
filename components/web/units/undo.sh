# Removes the unit files again, and the programs.
# shellcheck shell=bash
undo_step() {
  local unit
  restore_saved
  systemctl daemon-reload
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    [[ $unit != supervisor:* ]] || update_program "${unit#*:}"
  done
}
