# From this moment on users write on the copy.
# shellcheck shell=bash
do_step() {
  [[ -z $DATABASE ]] || {
    sql --command='select txid_current() % 4294967296' "$DATABASE" >"$STATE/transaction"
    rows_of "$(cat "$STATE/transaction")" >"$STATE/rows"
  }
  : >"$STATE/moment"
}
