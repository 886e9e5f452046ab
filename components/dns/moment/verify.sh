# The moment is noted.
# shellcheck shell=bash
verify_step() {
  [[ -s $STATE/until ]] || die "$STATE/until: should say when the records of before have run out, but does not: run 'pulumi up' again"
}
