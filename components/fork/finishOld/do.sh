# Old needs no guard any more: it is stopped after this, and its jobs stay off.
# shellcheck shell=bash
do_step() {
  remove_guard
  rm -f -- "$GUARD_STATE"/host-key*
}
