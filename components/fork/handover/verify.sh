# The moment is known.
# shellcheck shell=bash
verify_step() {
  [[ -e $STATE/moment ]] || die "$STATE/moment: should be there"
}
