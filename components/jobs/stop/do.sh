# Stops the background jobs for good, each at the end of what it does.
# shellcheck shell=bash
do_step() {
  local unit
  for unit in "${JOBS[@]}"; do
    save_units "$unit"
    stop_units "$unit"
    [[ ! -e $STATE/handed.$unit ]] || cp "$STATE/handed.$unit" "$ROOT/access-gate/"
  done
}
