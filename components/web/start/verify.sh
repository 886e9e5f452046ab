# The units run.
# shellcheck shell=bash
verify_step() {
  local unit
  for unit in "${WEB[@]}"; do systemctl is-active --quiet "$unit" || die "$unit: should run on $SIDE"; done
}
