# Starts the background jobs again, as they were, and what was due since new has stopped them.
# shellcheck shell=bash
undo_step() {
  local unit
  for unit in "${JOBS[@]}"; do
    [[ ! -e $ROOT/access-gate/handed.$unit ]] || mv "$ROOT/access-gate/handed.$unit" "$STATE/"
    restore_units "$unit"
  done
}
