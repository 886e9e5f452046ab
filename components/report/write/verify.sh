# The report is there.
# shellcheck shell=bash
verify_step() {
  [[ -s ${LOG%/*}/report ]] || die "${LOG%/*}/report: should be the report of the move"
}
