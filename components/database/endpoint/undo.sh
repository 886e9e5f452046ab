# Puts the app's file on new back.
# shellcheck shell=bash
undo_step() {
  restore_saved
}
