# Removes the copied certificates.
# shellcheck shell=bash
undo_step() {
  restore_saved
}
