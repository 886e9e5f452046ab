# Opens deploys on new and puts the move's key away.
# shellcheck shell=bash
do_step() {
  (
    STATE=$ROOT/deploys-new
    restore_saved
  )
  rm -rf "$ROOT/access-key/key" "$ROOT/access-key/key.pub"
}
