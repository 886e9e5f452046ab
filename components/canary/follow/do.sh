# Looks the canary's row up in old's database: where old follows new it comes there, and otherwise it must not be there.
# shellcheck shell=bash
do_step() {
  if [[ $STRATEGY == replicate ]]; then
    wait_until 60 "the canary's row should follow from new's database to old's (see the subscription on old, and PostgreSQL's log)" canary_found "$CANARY_TOKEN"
  elif canary_found "$CANARY_TOKEN"; then
    die "the canary's row should be in new's database alone, but is in old's, too: something writes to both; see ${ENDPOINT_FILE} on both servers"
  fi
}
