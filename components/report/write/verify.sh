# The report is there.
# shellcheck shell=bash
verify_step() {
  [[ -s $(dirname "$LOG")/report ]] || die "$(dirname "$LOG")/report: should be the report of the move"
}
