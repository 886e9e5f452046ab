# It was cleared.
# shellcheck shell=bash
verify_step() {
  [[ -e $STATE/cleared ]] || die "the app's cache on $SIDE should have been cleared"
}
