# The setting as it was, by a restart behind a hold again.
# shellcheck shell=bash
undo_step() {
  behind_hold decode-wal-no-more
}
