# Copies code and files from old for the first time, as a unit that outlives this connection.
# shellcheck shell=bash
# The unit's work: every path, with progress in bytes.
unit_work() {
  local index total began=$SECONDS
  total=$(gate bytes)
  watch_copy "$total" "$began" &
  for index in "${!COPY[@]}"; do
    pull_path "$index" --delete || failure "${COPY[$index]} could not be copied: $(tail -n 1 "$LOG" | cut -c 1-200)"
  done
  kill $! 2>/dev/null || true
  progress "copied $(human "$total") in $((SECONDS - began)) s"
}

# Writes bytes, rate and time left while the copy runs.
watch_copy() {
  local total=$1 began=$2 now seconds
  while sleep 2; do
    now=$(copied_bytes)
    seconds=$((SECONDS - began))
    ((seconds > 0 && now > 0)) || continue
    progress "copied $(human "$now") of $(human "$total"), $(human $((now / seconds)))/s, about $(((total > now ? total - now : 0) * seconds / now)) s left"
  done
}

# Tells the one who follows how it ended.
unit_work_ended() {
  tell_end work "$SERVICE_RESULT"
}

do_step() {
  local path began=$SECONDS
  for path in "${COPY[@]}"; do save_path "$path"; done
  follow_work work
  result filesSeconds $((SECONDS - began))
}
