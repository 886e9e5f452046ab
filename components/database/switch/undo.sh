# The users' database becomes old's again; refused while rows written on new would be lost without consent.
# shellcheck shell=bash
# The rows that the operator agreed to lose.
consented() {
  cat "$ROOT/consent" 2>/dev/null || printf '0'
}

# Refuses unless the operator agreed to lose what was written.
refuse_lost_writes() {
  local rows=$1
  ((rows <= $(consented))) || failure "$rows rows were written on new since the switch, and old does not have them: going back would lose them. To lose them knowingly: pulumi config set changeover:acceptLostWrites $rows, and 'pulumi up' again (a busy site writes on: a somewhat larger number is accepted too)"
}

# The way back, as a unit.
unit_back() {
  local rows
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  rows=$(count_writes)
  refuse_lost_writes "$rows"
  progress "showing the maintenance page"
  : >"$STATE/leaving"
  stop_jobs
  page_on
  stop_units_for_now "${WEB[@]}"
  rows=$(count_writes)
  refuse_lost_writes "$rows"
  ((rows == 0)) || keep_lost_writes "$rows"
  gate unfence
  set_endpoint "$ENDPOINT_ADDRESS" "$(old_endpoint)"
  start_units "${WEB[@]}"
  check_site
  : >"$STATE/returned"
  open_to_users
  drop_copy
}

# Keeps new's database as a file, so that the rows that old does not have can still be looked up.
keep_lost_writes() {
  local file
  file=/var/backups/changeover-$MOVE-$(date -u +%Y%m%dT%H%M%SZ).dump
  (umask 077 && : >"$file")
  as_postgres pg_dump --format=custom --port="$PGPORT" --dbname="$DATABASE" >"$file"
  progress "the $1 rows that old does not have are kept in $file on new (pg_restore reads it)"
}

# After the way back, however it ended: on old's database, or on new's as before.
unit_back_ended() {
  local ended=success
  if [[ $SERVICE_RESULT != success && -e $STATE/returned ]]; then
    open_to_users
    drop_copy
  elif [[ $SERVICE_RESULT != success ]]; then
    ended=$SERVICE_RESULT
    stay_on_new
  fi
  tell_end back "$ended"
}

# The way back failed or was refused: new's database stays the users' one.
stay_on_new() {
  set +e
  trap - ERR
  [[ -e $STATE/leaving ]] || return 0
  (gate fence)
  (set_endpoint "$(old_endpoint)" "$ENDPOINT_ADDRESS")
  (stop_units_for_now "${WEB[@]}")
  (start_units "${WEB[@]}" && check_site)
  (open_to_users) && rm -f "$STATE/leaving"
}

# A switch that was cut off before users came to new is put back by its unit; otherwise the way back runs.
undo_step() {
  stop_work work
  [[ -e $STATE/switched || -e $STATE/returned ]] || return 0
  follow_work back
}
