# Closes the hole again.
# shellcheck shell=bash
undo_step() {
  close_hole
}
