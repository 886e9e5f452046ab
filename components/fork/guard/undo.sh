# Takes the guard away.
# shellcheck shell=bash
undo_step() {
  remove_guard
  remove_made_dirs
}
