# The records that lead to new get the TTL that they had before the move.
# shellcheck shell=bash
do_step() {
  change_records data_of_new ttl_before
}
