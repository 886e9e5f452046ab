# The site's names lead to new, and notes from when on no resolver may lead to old any more.
# shellcheck shell=bash
do_step() {
  change_records data_of_new ttl_of_move
  forget_way_back
  note_until "$DNS_TTL"
}
