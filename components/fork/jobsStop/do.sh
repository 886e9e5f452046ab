# Jobs and cron stop on old for good: from here on the copy runs them.
# shellcheck shell=bash
do_step() {
  local unit
  for unit in $(job_units); do
    save_units "$unit"
    stop_units "$unit"
  done
}
