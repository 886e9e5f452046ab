# Starts the background jobs on new: from here on new is their one owner.
# shellcheck shell=bash
do_step() {
  local unit
  for unit in "${JOBS[@]}"; do save_unit "$unit"; done
  start_units "${JOBS[@]}"
}
