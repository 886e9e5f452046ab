# The app is off on old.
# shellcheck shell=bash
verify_step() {
  local unit
  for unit in "${WEB[@]}"; do ! systemctl is-active --quiet "$unit" || die "$unit: should be off on old"; done
}
