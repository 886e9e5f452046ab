# Opens deploys on new and puts the move's key away.
# shellcheck shell=bash
do_step() {
  (
    # shellcheck disable=SC2034 # restore_saved reads it
    STATE=$ROOT/deploys-new
    restore_saved
  )
  rm -rf "$ROOT/access-key/key" "$ROOT/access-key/key.pub"
}
