# The users' database becomes new's: page, fence, copy, compare, release. Puts itself back on any failure.
# shellcheck shell=bash
# The step's unit does all of it, so that no lost connection can stop it half-way.
unit_work() {
  local stopping
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  progress "preparing the copy"
  prepare_copy
  progress "showing the maintenance page"
  stop_jobs
  date +%s%3N >"$STATE/page-since"
  page_on
  # Where nothing is left to be answered, the app may end beside the fence.
  stop_units_for_now "${WEB[@]}" &
  stopping=$!
  nginx_drained || wait "$stopping" || failure "the app on new should stop, but did not"
  progress "fencing the database on old"
  gate fence || failure "the fence: $(tail -n 1 "$LOG" | cut -c 1-300)"
  copy_database
  note_baseline
  wait "$stopping" || failure "the app on new should stop, but did not"
  set_endpoint "$(old_endpoint)" "$ENDPOINT_ADDRESS"
  start_units "${WEB[@]}"
  check_site
  check_copy
  : >"$STATE/switched"
  result maintenanceSeconds $((($(date +%s%3N) - $(cat "$STATE/page-since") + 999) / 1000))
  open_to_users
  tidy_copy
}

# Users, jobs and cron come back on new, on whichever database the app leads to.
open_to_users() {
  page_off
  start_units "${JOBS[@]}"
  cron_on
}

# Jobs and cron entries stop on new, and what they had begun is finished.
stop_jobs() {
  cron_off
  stop_units_for_now "${JOBS[@]}"
  wait_until 60 "cron's jobs on $SIDE should end" cron_idle
}

# Stops units without disabling them: they come back within this step.
stop_units_for_now() {
  (($# == 0)) || systemctl stop -- "$@"
}

# Cron entries out of the way for the time of the switch, and back.
cron_off() {
  local entry file
  mkdir -p "$STATE/cron"
  for entry in "${CRON[@]}"; do
    file=$(cron_file "$entry")
    [[ ! -e $file ]] || { mkdir -p "$STATE/cron$(dirname "$file")" && mv -- "$file" "$STATE/cron$file"; }
  done
  cron_notices
}
cron_on() {
  local entry file
  for entry in "${CRON[@]}"; do
    file=$(cron_file "$entry")
    [[ ! -e $STATE/cron$file ]] || mv -- "$STATE/cron$file" "$file"
  done
  cron_notices
}

# From which transaction on a row counts as written on new, and how many deletions there were before.
note_baseline() {
  sql "$DATABASE" >"$STATE/baseline" <<'SQL'
select (pg_current_xact_id()::text::numeric % 4294967296)::text;
select pg_stat_reset() \g /dev/null
SQL
}

# The number of rows written on new since the switch.
count_writes() {
  sql --set=since="$(cat "$STATE/baseline")" --set=total="$(awk -F '\t' '{ n += $NF } END { print n + 0 }' "$STATE/counts.new")" "$DATABASE" <<<"$WRITES"
}

# After the unit's work, however it ended (also by kill -9 or its deadline): success, or everything as before the switch.
unit_work_ended() {
  local ended=success
  if [[ $SERVICE_RESULT != success && -e $STATE/switched ]]; then
    open_to_users
    tidy_copy
  elif [[ $SERVICE_RESULT != success ]]; then
    ended=$SERVICE_RESULT
    put_back
  fi
  tell_end work "$ended"
}

# Every part is tried, whatever became of the others: users are on old's database again.
put_back() {
  local unfenced=no
  set +e
  trap - ERR
  progress "putting the database back to old"
  # They may run on new's database already, and would go on there.
  (stop_units_for_now "${JOBS[@]}" "${WEB[@]}")
  (set_endpoint "$ENDPOINT_ADDRESS" "$(old_endpoint)")
  if retry_for 1200 gate unfence; then unfenced=yes; else
    printf 'the fence on old could not be lifted: on old, as postgres: ALTER ROLE ... LOGIN\n' >>"$STATE/failure"
  fi
  (start_units "${WEB[@]}" && check_site)
  (open_to_users)
  (tidy_copy)
  (drop_copy) && [[ $unfenced == yes ]] && : >"$STATE/put-back"
}

# Tries a command again until it works or the seconds are over.
retry_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 1
  done
}

# Once users have been led to new's database, nothing copies over it again.
do_step() {
  [[ -e $STATE/switched ]] || {
    follow_work work
    return
  }
  # A run that ended between the switch and its last lines: they are done here.
  wait_until "$((DEADLINE - 10))" "$(unit_name) should end" work_is_over
  open_to_users
  tidy_copy
}
