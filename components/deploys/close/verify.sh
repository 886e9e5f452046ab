# Every repository refuses, every lock is there.
# shellcheck shell=bash
verify_step() {
  local repository lock
  for repository in "${DEPLOYS[@]}"; do
    grep -q 'Put here by changeover' "$repository/hooks/pre-receive" || die "$repository: should refuse pushes by its pre-receive hook"
  done
  for lock in "$CLOSED" "${DEPLOY_LOCKS[@]}"; do
    is_of_this_move "$lock" || die "$lock: should be the lock of move $MOVE"
  done
}
