# Every repository refuses.
# shellcheck shell=bash
verify_step() {
  local repository
  for repository in "${DEPLOYS[@]}"; do
    grep -q 'Put here by changeover' "$repository/hooks/pre-receive" || die "$repository: should refuse pushes by its pre-receive hook"
  done
}
