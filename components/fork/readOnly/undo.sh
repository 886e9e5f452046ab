# Users write on old again.
# shellcheck shell=bash
undo_step() {
  run_as changeover:fork.readOnly "$HOOK_USER" "$HOOK_DEADLINE" "$HOOK_OFF"
}
