# The reason is in the journal.
# shellcheck shell=bash
verify_step() {
  grep --quiet --fixed-strings -- "$REASON" "$(dirname "$LOG")/journal" || die "$(dirname "$LOG")/journal: should hold the reason: $DECISION"
}
