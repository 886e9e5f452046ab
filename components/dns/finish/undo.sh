# The TTL of the move again, for a way back that has to be quick.
# shellcheck shell=bash
undo_step() {
  change_records data_of_new ttl_of_move
}
