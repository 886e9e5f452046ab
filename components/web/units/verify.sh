# systemd knows every unit, and every program is there, off.
# shellcheck shell=bash
verify_step() {
  local unit
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    if [[ $unit == supervisor:* ]]; then
      program_file "${unit#*:}" || die "$unit: a file of /etc/supervisor/conf.d on new should have it"
    else
      [[ $(systemctl show --property=LoadState --value -- "$unit") == loaded ]] || die "$unit: systemd on new should know it, but says $(systemctl show --property=LoadState --value -- "$unit")"
    fi
  done
}
