# The copy is terminated after this: what is on it alone is named.
# shellcheck shell=bash
undo_step() {
  local path
  [[ -e $STATE/forked ]] || return 0
  note "on the copy, not on old: $(while_written find "${FILES[@]}" -newer "$STATE/forked" -type f | wc -l) files written since the fork$(for path in "${FILES[@]}"; do printf ' %s' "$path"; done)"
}
