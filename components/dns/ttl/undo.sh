# The records are what they were before the move.
# shellcheck shell=bash
undo_step() {
  [[ ! -e $BEFORE ]] || change_records data_before ttl_before
}
