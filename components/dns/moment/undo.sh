# The records are put back by Pulumi itself, ahead of this.
# shellcheck shell=bash
undo_step() {
  [[ $DNS_LEADS == no ]] || note_way_back "$DNS_KEPT"
}
