# The journal is there.
# shellcheck shell=bash
verify_step() {
  [[ -s $STATE/journal ]] || die "$STATE/journal: should be old's journal"
}
