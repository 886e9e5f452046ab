# Writes into the journal what the operator has decided, and why.
# shellcheck shell=bash
do_step() {
  printf '%s\t%s\t%s\n' "$(date -u +%FT%TZ)" "$DECISION" "$REASON" >>"${LOG%/*}/journal"
}
