# Verifies the steps that are done on this server, some at a time, and prints one fact for each: how its script ended, for how many seconds
# it ran, what it said. Reads only; MOVE, STEPS and PATIENCE (seconds for one step) are set above.
# shellcheck shell=bash

# So many steps are verified at a time.
readonly AT_A_TIME=4

# Verifies one step by the script that its last run has left.
verify_one() {
  local script=/var/lib/changeover/$MOVE/$1/script said status=0 began=$EPOCHREALTIME
  if [[ -e $script ]]; then
    said=$(timeout --kill-after=2 "$PATIENCE" bash "$script" check </dev/null 2>&1) || status=$?
    # One that took too long has told nothing else that counts.
    ((status != 124 && status != 137)) || said=$(busy)
  else
    status=absent
  fi
  # Short enough to be written in one piece.
  fact "verify.$1" "$status" "$(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')" "$(tail -c 2000 <<<"${said:-}")"
}

# Verifies all of them.
verify() {
  export LC_ALL=C.UTF-8
  cd /
  local step running=0
  for step in "${STEPS[@]}"; do
    [[ -e /var/lib/changeover/$MOVE/$step/done ]] || continue
    ((running < AT_A_TIME)) || wait -n || true
    verify_one "$step" &
    running=$((running < AT_A_TIME ? running + 1 : running))
  done
  wait
  fact_of working steps_at_work
  fact complete yes
}
