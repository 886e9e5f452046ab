# The copy was made of a site that was read-only: nobody has to be kept from writing there.
# shellcheck shell=bash
do_step() {
  run_as changeover:fork.readOnly "$HOOK_USER" "$HOOK_DEADLINE" "$HOOK_OFF"
}
