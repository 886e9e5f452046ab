# The release's own commands for the way back, in reverse.
# shellcheck shell=bash
undo_step() {
  local index
  stop_work work
  for ((index = $(cat "$STATE/begun-commands" 2>/dev/null || printf '0') - 1; index >= 0; index--)); do
    [[ -z ${BACKS[$index]} ]] || run_as "changeover:fork.release[$index].back" "${USERS[$index]}" "${DEADLINES[$index]}" "${BACKS[$index]}"
    printf '%s' "$index" >"$STATE/begun-commands"
  done
}
