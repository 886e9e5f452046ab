# They are kept.
# shellcheck shell=bash
undo_step() {
  :
}
