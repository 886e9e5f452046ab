# Removes the row again, where the settings say how; that it could not be removed is no reason to stay.
# shellcheck shell=bash
undo_step() {
  [[ -s $STATE/token ]] || return 0
  remove_canary "$(cat "$STATE/token")" || note "the canary's row is still in new's database: its mark is $(cat "$STATE/token")"
}
