# What keeps deploys away from a server: a hook in each repository, lock files of other tools, and a place that any of them can look at.
# MOVE, SIDE, OLD_ADDRESS, NEW_ADDRESS, DEPLOYS, DEPLOY_LOCKS and OPERATOR are set above.
# shellcheck shell=bash

# Any tool may look here: closed while the file is there.
readonly CLOSED=/var/lib/changeover/deploys-closed
# What the step that closes deploys keeps of them; the end of the move needs it, too.
readonly KEPT=$ROOT/deploys-$SIDE

# Who runs this: the setting, or the login on this server and where it came from.
operator() {
  local pid=$$ from=''
  if [[ -n $OPERATOR ]]; then
    printf '%s' "$OPERATOR"
    return
  fi
  while [[ -z $from ]] && ((pid > 1)); do
    from=$({ tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=\([^ ]*\).*/\1/p'; } 2>/dev/null || true)
    pid=$(ps -o ppid= -p "$pid" || echo 1)
  done
  printf '%s%s' "${SUDO_USER:-$(id -un)}" "${from:+ from $from}"
}

# Why, where to instead, who and since when: deploy_message moving|moved
deploy_message() {
  local stage='is moving' until=' when the move is finished'
  [[ $1 == moving ]] || stage='has moved' until=''
  printf 'Deploys to this server are closed: the site %s from %s to %s.\n' "$stage" "$OLD_ADDRESS" "$NEW_ADDRESS"
  printf 'Deploy to %s%s.\n' "$NEW_ADDRESS" "$until"
  printf 'move: %s\n' "$MOVE"
  cat "$KEPT/closed-by" 2>/dev/null || true
}

# True when a file is a lock of some move.
is_of_a_move() {
  [[ -f $1 ]] && head -n 1 -- "$1" | grep -q '^Deploys to this server are closed: '
}

# True when a file is a lock of this move.
is_of_this_move() {
  is_of_a_move "$1" && grep -qxF "move: $MOVE" "$1"
}

# Puts a lock with the message of stdin at a path where nothing is, at once as a whole: place_lock PATH. Otherwise it says why not.
place_lock() {
  local why=''
  make_dir "$(dirname -- "$1")"
  note_draft "$1"
  if ! install -m 644 /dev/stdin "$1.changeover"; then
    why='cannot be written'
  elif ! ln -T -- "$1.changeover" "$1"; then
    why="is held by $(stat -c '%U since %y' -- "$1" 2>/dev/null | cut -c 1-40)"
  fi
  rm -f -- "$1.changeover"
  [[ -n $why ]] || return 0
  printf '%s %s\n' "$1" "$why"
  return 1
}

# Takes one lock: true when it is this move's. What an earlier move has left is kept; what is somebody else's is left alone.
take_deploy_lock() {
  ! is_of_this_move "$1" || return 0
  if is_of_a_move "$1"; then
    save_path "$1"
    rm -f -- "$1"
  fi
  grep -qsxF -- "$1" "$KEPT/locks" || printf '%s\n' "$1" >>"$KEPT/locks"
  deploy_message moving | place_lock "$1"
}

# Refuses pushes into every repository, with the message: close_repositories moving|moved
close_repositories() {
  local repository hook
  for repository in "${DEPLOYS[@]}"; do
    hook=$repository/hooks/pre-receive
    save_path "$hook"
    {
      printf '#!/bin/sh\n# Put here by changeover, taken out again by it.\ncat >&2 <<"MESSAGE"\n'
      deploy_message "$1"
      printf 'MESSAGE\nexit 1\n'
    } >"$KEPT/hook"
    note_draft "$hook"
    install -m 755 "$KEPT/hook" "$hook.changeover"
    mv -- "$hook.changeover" "$hook"
  done
}

# Takes this move's locks and hooks out; a lock that somebody else has taken since stays.
open_deploys() {
  local lock
  [[ ! -e $KEPT/locks ]] || while IFS= read -r lock; do
    ! is_of_this_move "$lock" || rm -f -- "$lock"
  done <"$KEPT/locks"
  restore_saved
  [[ -e $CLOSED ]] || chmod 700 "$(dirname "$CLOSED")"
}
