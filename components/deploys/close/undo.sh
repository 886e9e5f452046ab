# Opens deploys again.
# shellcheck shell=bash
undo_step() {
  restore_saved
}
