# Every job runs.
# shellcheck shell=bash
verify_step() {
  local unit
  for unit in "${JOBS[@]}"; do systemctl is-active --quiet "$unit" || die "$unit: should run on $SIDE"; done
}
