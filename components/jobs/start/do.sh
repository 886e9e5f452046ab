# Starts the background jobs on new: from here on new is their one owner.
# shellcheck shell=bash
do_step() {
  local unit
  save_units "${JOBS[@]}"
  for unit in "${JOBS[@]}"; do
    [[ $unit != *.timer ]] || systemctl is-active --quiet -- "$unit" || bring_handed "$unit"
  done
  start_units "${JOBS[@]}"
  await_lasting "${JOBS[@]}"
}
