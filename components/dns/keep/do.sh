# Keeps what the site's records were before the move.
# shellcheck shell=bash
do_step() {
  [[ ! -s $STATE/records ]] || return 0
  keep records printf '%s\n' "$DNS_RECORDS"
}
