# The site becomes read-only on old, by the operator's command.
# shellcheck shell=bash
do_step() {
  run_as changeover:fork.readOnly "$HOOK_USER" "$HOOK_DEADLINE" "$HOOK_ON"
}
