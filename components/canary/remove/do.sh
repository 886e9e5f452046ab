# Removes the canary's row from new's database.
# shellcheck shell=bash
do_step() {
  remove_canary "$CANARY_TOKEN" || die "changeover:site.canary.cleanup should remove the row with the mark $CANARY_TOKEN, but PostgreSQL says: $(tail -n 1 "$LOG" | cut -c 1-200). Users are served by new"
  ! canary_found "$CANARY_TOKEN" || die "changeover:site.canary.cleanup should remove the row with the mark $CANARY_TOKEN, but the query still finds it. Users are served by new"
}
