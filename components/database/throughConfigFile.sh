# The app reaches the database by its own file, which it reads when it starts: while the file changes, or old's PostgreSQL restarts, users
# see the maintenance page. What endpoint.sh and maintenance/close.sh want is set above.
# shellcheck shell=bash

# For so many seconds it is tried to have the app work with a side's database; each try waits for its checks, too.
# shellcheck disable=SC2034 # switchover.sh reads it
readonly LEAD_LIMIT=60

# Nothing can be done before.
prepare_hold() {
  :
}

# From here on the site is closed until the database is a side's. The budget is for what the database takes; the app's end is waited for
# as long as the step may take.
hold() {
  progress "switching the database to $1: showing the maintenance page"
  now
  pause_app
  watch_budget &
}

# Users see the page; jobs, cron and the app have ended, and what they had begun is finished.
pause_app() {
  : >"$STATE/paused"
  stop_jobs
  HELD_SINCE=$(date +%s%3N)
  page_on
  : >"$STATE/closed"
  stop_units_for_now "${WEB[@]}"
}

# The app works with a side's database. Where the site was not closed it does already, and is left alone.
lead_to() {
  [[ -e $STATE/closed ]] || return 0
  stop_units_for_now "${WEB[@]}" && name_side "$1" && start_units "${WEB[@]}" && check_site
}

# The app's file names a side's database.
name_side() {
  if [[ $1 == old ]]; then set_endpoint "$ENDPOINT_ADDRESS" "$(old_endpoint)"; else set_endpoint "$(old_endpoint)" "$ENDPOINT_ADDRESS"; fi
}

# The site is open again, jobs and cron are back.
release() {
  [[ -e $STATE/paused ]] || return 0
  rm -f "$STATE/closed"
  open_to_users
  rm -f "$STATE/paused"
  [[ -z ${HELD_SINCE:-} ]] || result maintenanceSeconds $(((OPENED_AT - HELD_SINCE + 999) / 1000))
}

# The app runs again with the database of before, and the site is open, whether it works or not.
resume_app() {
  local works=yes
  [[ -e $STATE/paused ]] || return 0
  (start_units "${WEB[@]}" && check_site) || works=no
  release && [[ $works == yes ]]
}

# Says how long users saw the page.
tell_hold() {
  progress "the database is $1's: users saw the maintenance page for $((NOW - HELD_SINCE)) ms ($LAPS)"
}

# The app's file names new's own database, and users see no page.
check_leads_to_new() {
  grep -qF -- "$ENDPOINT_ADDRESS" "$ENDPOINT_FILE" || die "$ENDPOINT_FILE: should name the database $ENDPOINT_ADDRESS"
  [[ ! -e $(include_dir)/maintenance.conf ]] || die "the maintenance page should be gone"
}
