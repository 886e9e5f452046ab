# What the records were is kept.
# shellcheck shell=bash
verify_step() {
  [[ -s $STATE/records ]] || die "$STATE/records: should hold the site's records of before the move, but does not: run 'pulumi up' again"
}
