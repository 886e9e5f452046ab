# The row was found when it was looked up; it may have been removed since.
# shellcheck shell=bash
verify_step() {
  [[ -s $STATE/token ]] || die "$STATE/token: should be there"
}
