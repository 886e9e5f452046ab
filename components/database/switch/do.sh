# The users' database becomes new's: page, fence, copy, compare, release. Puts itself back on any failure.
# shellcheck shell=bash
# The step's unit does all of it, so that no lost connection can stop it half-way.
unit_work() {
  local stopping
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  rm -f "$STATE/paused"
  progress "preparing the copy"
  prepare_copy
  progress "showing the maintenance page"
  : >"$STATE/paused"
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

# As before the step. What users have not noticed is left alone.
put_back() {
  local unfenced=yes
  set +e
  trap - ERR
  progress "putting the database back to old"
  [[ ! -e $STATE/paused ]] || return_to_old || unfenced=no
  (tidy_copy)
  (drop_copy) && [[ $unfenced == yes ]] && : >"$STATE/put-back"
}

# Every part is tried, whatever became of the others: users are on old's database again. Fails where the fence could not be lifted.
return_to_old() {
  local unfenced=yes
  # The app may run on new's database already, and would go on there.
  [[ -e $(include_dir)/maintenance.conf ]] || (page_on)
  (stop_units_for_now "${JOBS[@]}" "${WEB[@]}")
  (set_endpoint "$ENDPOINT_ADDRESS" "$(old_endpoint)")
  retry_for 1200 gate unfence || {
    unfenced=no
    printf 'the fence on old could not be lifted: on old, as postgres: ALTER ROLE ... LOGIN\n' >>"$STATE/failure"
  }
  (start_units "${WEB[@]}" && check_site)
  (open_to_users)
  [[ $unfenced == yes ]]
}

# Once users have been led to new's database, nothing copies over it again.
do_step() {
  [[ -e $STATE/switched ]] || {
    follow_work work
    return
  }
  # A run that ended between the switch and its last lines: they are done here.
  wait_until "$((DEADLINE - 10))" "$(unit_name) should end" unit_is_over "$(unit_name)"
  open_to_users
  tidy_copy
}
