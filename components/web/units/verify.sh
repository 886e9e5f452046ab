# systemd knows every unit.
# shellcheck shell=bash
verify_step() {
  local unit
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    [[ $(systemctl show --property=LoadState --value -- "$unit") == loaded ]] || die "$unit: systemd on new should know it, but says $(systemctl show --property=LoadState --value -- "$unit")"
  done
}
