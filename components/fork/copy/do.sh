# The copy has booted: it is one of its own, and nothing runs there twice.
# shellcheck shell=bash
do_step() {
  wait_until 60 "the guard on the copy should have done its work (journalctl -u $GUARD_UNIT)" test -e "$GUARD_STATE/own"
  [[ -e $STATE/forked ]] || : >"$STATE/forked"
}
