# Removes the copies and puts back what stood at the paths.
# shellcheck shell=bash
undo_step() {
  stop_work work
  restore_saved
}
