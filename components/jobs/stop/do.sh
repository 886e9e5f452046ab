# Stops the background jobs for good, each at the end of what it does.
# shellcheck shell=bash
do_step() {
  local unit
  for unit in "${JOBS[@]}"; do
    save_unit "$unit"
    systemctl disable --now -- "$unit"
  done
}
