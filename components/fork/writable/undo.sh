# The copy is read-only again, as it was made.
# shellcheck shell=bash
undo_step() {
  run_as changeover:fork.readOnly "$HOOK_USER" "$HOOK_DEADLINE" "$HOOK_ON"
}
