# Closes the site on new to its users, jobs and cron for a while, and opens it again. What page.sh, cron/entries.sh and
# web/processes.sh want is set above.
# shellcheck shell=bash

# Users, jobs and cron come back on new, on whichever database the app leads to; at last monit watches them again.
open_to_users() {
  page_off
  # shellcheck disable=SC2034 # throughConfigFile.sh reads it
  OPENED_AT=$(date +%s%3N)
  start_units "${JOBS[@]}"
  cron_on
  monit_on
}

# Jobs and cron entries stop on new, and what they had begun is finished. Monit is told first, or it would start them again.
stop_jobs() {
  monit_off
  cron_off
  stop_units_for_now "${JOBS[@]}"
  # Nobody waits for it yet.
  wait_until "$((DEADLINE < 1200 ? DEADLINE / 2 : 600))" "cron's jobs on $SIDE should end" cron_idle
}

# Cron entries out of the way for the time of the switch, and back.
cron_off() {
  leave_cron put_aside
}
put_aside() {
  local entry file
  mkdir -p "$STATE/cron"
  for entry in "${CRON[@]}"; do
    file=$(cron_file "$entry")
    [[ ! -e $file ]] || { mkdir -p "$STATE/cron$(dirname "$file")" && mv -- "$file" "$STATE/cron$file"; }
  done
}
cron_on() {
  [[ ! -e $STATE/handed.cron ]] || own_cron take_back
}
take_back() {
  local entry file
  for entry in "${CRON[@]}"; do
    file=$(cron_file "$entry")
    [[ ! -e $STATE/cron$file ]] || mv -- "$STATE/cron$file" "$file"
  done
}
