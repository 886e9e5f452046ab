# No report.
# shellcheck shell=bash
undo_step() {
  rm -f "${LOG%/*}/report"
}
