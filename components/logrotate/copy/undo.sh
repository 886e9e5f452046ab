# Removes the site's log rotation from new.
# shellcheck shell=bash
undo_step() {
  restore_saved
}
