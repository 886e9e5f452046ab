# Nobody is on the copy any more; what was written there was named before.
# shellcheck shell=bash
undo_step() {
  :
}
