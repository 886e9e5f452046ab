# Nothing of the guard is left.
# shellcheck shell=bash
verify_step() {
  [[ ! -e $GUARD_WANTS ]] || die "$GUARD_WANTS: should be gone"
}
