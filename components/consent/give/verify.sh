# The consent is there.
# shellcheck shell=bash
verify_step() {
  [[ $(cat "$ROOT/consent") == "$ACCEPT_LOST_WRITES" ]] || die "$ROOT/consent: should be $ACCEPT_LOST_WRITES"
}
