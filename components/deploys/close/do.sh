# Refuses deploys with a message that says why, who, since when and where to; what has begun ends first.
# shellcheck shell=bash
# The processes that take a push into a repository: they stand in it, and their hooks end before they do.
pushes_into() {
  local dir process
  find /proc -mindepth 2 -maxdepth 2 -name cwd -printf '%l\t%h\n' 2>/dev/null | while IFS=$'\t' read -r dir process; do
    [[ $dir != "$(readlink -f -- "$1")" ]] || ! { tr '\0' ' ' <"$process/cmdline" | grep -q receive-pack; } 2>/dev/null || printf '%s\n' "$process"
  done
}

# True when pushes have ended, each named by its folder in /proc.
pushes_ended() {
  local process
  for process in "$@"; do
    [[ ! -e $process ]] || {
      printf 'process %s takes it\n' "${process#/proc/}"
      return 1
    }
  done
}

# The seconds that are left of the step's own.
seconds_left() {
  printf '%s' "$((DEADLINE - 10 - SECONDS))"
}

do_step() {
  local lock repository
  local -a pushes
  keep_first closed-by printf 'who: %s\nsince: %s\n' "$(operator)" "$(date -u +%FT%TZ)"
  for lock in "$CLOSED" "${DEPLOY_LOCKS[@]}"; do
    [[ ! -e $lock ]] || is_of_a_move "$lock" || note "waiting for the deploy that holds $lock"
    wait_until "$(seconds_left)" "$lock: nobody else should hold this lock (end that deploy, or remove the lock if none runs, and run again)" take_deploy_lock "$lock"
  done
  chmod 711 "$(dirname "$CLOSED")"
  close_repositories moving
  for repository in "${DEPLOYS[@]}"; do
    mapfile -t pushes < <(pushes_into "$repository")
    ((${#pushes[@]} == 0)) || note "waiting for the push that $repository is taking"
    wait_until "$(seconds_left)" "$repository: the push that it is taking should end (see what its hooks do)" pushes_ended "${pushes[@]}"
  done
}
