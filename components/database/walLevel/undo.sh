# The setting as it was, by a restart behind a hold again.
# shellcheck shell=bash
undo_step() {
  stop_work
  follow_work restart-back
}
