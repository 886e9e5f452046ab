# Keeps what the site's records were before the move.
# shellcheck shell=bash
do_step() {
  [[ ! -s $STATE/records ]] || return 0
  printf '%s\n' "$DNS_RECORDS" >"$STATE/records.part"
  mv -- "$STATE/records.part" "$STATE/records"
}
