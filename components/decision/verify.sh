# The reason is in the journal.
# shellcheck shell=bash
verify_step() {
  grep --quiet --fixed-strings -- "$REASON" "${LOG%/*}/journal" || die "${LOG%/*}/journal: should hold the reason: $DECISION"
}
