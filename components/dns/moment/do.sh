# The provider serves the records as this phase wants them: notes from when on nobody can know them as they were.
# shellcheck shell=bash
do_step() {
  note_until "$DNS_KEPT"
  [[ $DNS_LEADS == no ]] || forget_way_back
}
