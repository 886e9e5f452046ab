# From here on users are served by new: old passes every request on; what reaches new meanwhile waits, and none fails.
# shellcheck shell=bash
# Requests to new's nginx wait in the kernel's queue; whatever happens, they go on after the hold budget.
hold() {
  local unit
  unit=$(unit_name)-release
  systemctl stop "$unit.timer" 2>/dev/null || true
  systemd-run --quiet --collect --unit="$unit" --on-active="$HOLD_BUDGET" --timer-property=AccuracySec=50ms systemctl kill --signal=CONT nginx.service
  nginx_workers >"$STATE/held"
  HELD_SINCE=$(date +%s%3N)
  xargs --no-run-if-empty kill -STOP <"$STATE/held"
}

# The waiting requests go on.
release() {
  systemctl kill --signal=CONT nginx.service
  systemctl stop "$(unit_name)-release.timer" 2>/dev/null || true
  HELD_MILLISECONDS=$(($(date +%s%3N) - HELD_SINCE))
}

# The waiting requests are answered by old, which serves again: what users have just uploaded there is not on new.
release_through_old() {
  printf '%s' "${PASS_BACK//OTHER/$(url_host "$OLD_ADDRESS")}" | replace_file "$(include_dir)/pass-back.conf"
  reload_nginx
  release
}

# Once the last of them is answered, new's nginx serves new again.
stop_passing_back() {
  drain_nginx 10
  rm -f "$(include_dir)/pass-back.conf"
  reload_nginx
}

# Runs when anything between hold and release fails: users are served by old again.
failed_while_held() {
  trap - EXIT
  set +e
  if gate pass-off; then
    release_through_old
    stop_passing_back
  else
    release
  fi
  do_failed "$1"
}

# True when old passes the site on already: users write on new, and nothing there may be overwritten.
passing() {
  local answer
  answer=$(gate passing) || die "old's gate does not answer, so that it is not known who serves the users: mend the way from new to old (SSH, firewall) and run again"
  [[ $answer == yes ]]
}

# Lets requests wait while old begins to pass them on and the last files come over.
switch_traffic() {
  pull_users_files --delete
  hold
  trap 'failed_while_held $?' EXIT
  gate pass-on || die "old could not pass the site on to new: $(tail -n 1 "$LOG" | cut -c 1-300)"
  pull_users_files --update
  remember_users_files
  release
  trap 'do_failed $?' EXIT
  result holdMilliseconds "$HELD_MILLISECONDS"
}

# Uploads that were under way on old when it began to pass on have ended by now, or within a while: they come too.
do_step() {
  if passing; then gate pass-on; else switch_traffic; fi
  gate drained || note "some connections of before are still open on old (websockets, long downloads)"
  pull_users_files --update
}
