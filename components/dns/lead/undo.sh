# The site's names lead to old again.
# shellcheck shell=bash
undo_step() {
  change_records data_before ttl_of_move
  note_way_back "$DNS_TTL"
}
