# Nothing to undo: the copy on new goes with the first copy's undo.
# shellcheck shell=bash
undo_step() {
  remove_made_dirs
}
