# There is no way back from finished.
# shellcheck shell=bash
undo_step() {
  :
}
