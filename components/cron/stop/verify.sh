# No entry is left.
# shellcheck shell=bash
verify_step() {
  local entry
  for entry in "${CRON[@]}"; do
    [[ ! -e $(cron_file "$entry") ]] || die "$(cron_file "$entry"): should be gone from $SIDE"
  done
}
