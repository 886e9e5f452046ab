# From here on users are served by new: old passes every request on; what reaches new meanwhile waits, and none fails.
# shellcheck shell=bash
# Requests to new's nginx wait in the kernel's queue until they are released, at the latest by the unit's last act. Its new workers
# would hand them to old, and stand still from the moment they are seen; what those of before have begun is answered first, by new.
hold() {
  local end=$((SECONDS + 20)) reload
  HELD_SINCE=$(date +%s%3N)
  write_pass_back
  WORKERS_BEFORE=$(nginx_workers)
  request_reload &
  reload=$!
  until ! kill -0 "$reload" 2>/dev/null && nginx_renewed; do
    ((SECONDS < end)) || failure "nginx on new did not start new workers within 20 seconds$(busy)"
    stop_new_workers
  done
  wait "$reload" || exit 1
  stop_new_workers
  drain_nginx 3
}

# The workers that the reload has started by now stand still.
stop_new_workers() {
  nginx_workers_since >"$STATE/held"
  xargs --no-run-if-empty kill -STOP <"$STATE/held"
}

# The workers that stand still go on.
release() {
  systemctl kill --signal=CONT nginx.service
  rm -f "$STATE/held"
}

# The waiting requests are answered by new, by workers that serve it: those that stood still hand to old, which hands on, and go on
# only when others are there, or a request would go round until one comes.
release_to_new() {
  local end=$((SECONDS + 10))
  rm -f "$(include_dir)/pass-back.conf"
  # shellcheck disable=SC2034 # nginx.sh reads it
  WORKERS_BEFORE=$(nginx_workers)
  if (request_reload); then
    until [[ -n $(nginx_workers_since) ]] || ((SECONDS > end)); do sleep 0.02; done
  fi
  release
}

# From now on new's nginx hands every request to old.
write_pass_back() {
  printf '%s' "${PASS_BACK//OTHER/$(url_host "$OLD_ADDRESS")}" | replace_file "$(include_dir)/pass-back.conf"
}

# The waiting requests are answered by old, which serves again. Once old hands nothing on any more, new's nginx serves new again.
release_to_old() {
  local end=$((SECONDS + 10))
  release
  until gate drained; do
    ((SECONDS < end)) || break
  done
  rm -f "$(include_dir)/pass-back.conf"
  request_reload
  await_reload || true
}

# True when requests wait on new, or would go to old.
still_held() {
  [[ -e $STATE/held || -e $(include_dir)/pass-back.conf ]]
}

# True when old passes the site on already: users write on new, and nothing there may be overwritten.
passing() {
  local answer
  answer=$(gate passing) || undecided "old's gate does not answer, so that it is not known who serves the users: mend the way from new to old (SSH, firewall) and run again"
  [[ $answer == yes ]]
}

# Ends the unit where the hold has lasted too long: its last act releases the requests to the side that has served before.
watch_budget() {
  sleep "$HOLD_BUDGET"
  mkdir "$STATE/decided" 2>/dev/null || return 0
  printf 'the hold lasted longer than changeover:holdBudget (%s s): users stay where they were%s\n' "$HOLD_BUDGET" "$(busy)" >>"$STATE/failure"
  kill -KILL $$
}

# The point from which the hand-over goes on instead of back: decide VERB.
decide() {
  mkdir "$STATE/decided" 2>/dev/null || {
    wait
    exit 1
  }
  : >"$STATE/decided/$1"
}

# The unit's work: lets requests wait while old begins to pass them on and the last files come over.
unit_take() {
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  rm -rf "$STATE/decided"
  if passing; then return; fi
  pull_users_files --delete
  progress "old begins to pass requests on; they wait"
  watch_budget &
  hold
  gate pass-on || failure "old could not pass the site on to new: $(tail -n 1 "$LOG" | cut -c 1-300)"
  pull_users_files --update
  remember_users_files
  decide take
  release_to_new
  result holdMilliseconds "$(($(date +%s%3N) - HELD_SINCE))"
}

# After it, however it ended: users are on new, or on old as before. Where old cannot be asked to serve again, they go on to new.
unit_take_ended() {
  local ended=$SERVICE_RESULT
  set +e
  trap - ERR
  if [[ -e $STATE/decided/take ]]; then
    ended=success
    ! still_held || release_to_new
  elif still_held; then
    progress "users are served by old again"
    if gate pass-off; then release_to_old; else release_to_new; fi
  fi
  tell_end take "$ended"
}

# Uploads that were under way on old when it began to pass on have ended by now, or end within a while: they come too.
bring_late_uploads() {
  local end=$((SECONDS + 10)) open=yes
  while [[ $open == yes ]] && ((SECONDS < end)); do
    ! gate drained || open=no
    pull_users_files --update
  done
  [[ $open == no ]] || note "some connections of before are still open on old (websockets, long uploads and downloads)"
}

do_step() {
  [[ -e $STATE/started.take ]] || check_served
  follow_work take
  bring_late_uploads
}
