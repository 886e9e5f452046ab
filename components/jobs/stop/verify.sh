# None runs, and none comes back with a reboot.
# shellcheck shell=bash
verify_step() {
  local unit
  for unit in "${JOBS[@]}"; do
    ! systemctl is-active --quiet "$unit" || die "$unit: should be stopped on $SIDE"
    [[ $(systemctl is-enabled "$unit" || true) != enabled ]] || die "$unit: should be disabled on $SIDE"
  done
}
