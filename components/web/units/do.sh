# Installs the unit files of the site on new, and its programs of supervisor, off.
# shellcheck shell=bash
do_step() {
  local unit
  pull_group units
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    [[ $unit != supervisor:* ]] || set_autostart off "${unit#*:}"
  done
  systemctl daemon-reload
}
