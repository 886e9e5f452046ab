# The release's own commands, in order, as a unit: one that was done is not done again.
# shellcheck shell=bash
released() {
  cat "$STATE/released" 2>/dev/null || printf '0'
}

unit_work() {
  local index
  for ((index = $(released); index < ${#COMMANDS[@]}; index++)); do
    progress "release: $((index + 1)) of ${#COMMANDS[@]}: ${COMMANDS[$index]}"
    # What is cut off half-way is taken back, too.
    printf '%s' "$((index + 1))" >"$STATE/begun-commands"
    (run_as "changeover:fork.release[$index]" "${USERS[$index]}" "${DEADLINES[$index]}" "${COMMANDS[$index]}")
    printf '%s' "$((index + 1))" >"$STATE/released"
  done
}

# Tells the one who follows how it ended.
unit_work_ended() {
  tell_end work "$SERVICE_RESULT"
}

do_step() {
  follow_work work
}
