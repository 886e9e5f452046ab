# Restarts old's PostgreSQL so that it can be followed, while the app's statements wait (pause_app, resume_app). Nothing to do where it can
# be.
# shellcheck shell=bash

# The unit's work, for HOLD_LIMIT seconds at most.
unit_restart() {
  restart_behind_hold decode-wal
}

# The same for the way back.
unit_restart_back() {
  restart_behind_hold decode-wal-no-more
}

# Runs a request of the gate while the app's statements wait.
restart_behind_hold() {
  local began
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  began=$(date +%s%3N)
  progress "PostgreSQL on old restarts"
  (sleep "$HOLD_LIMIT" && printf 'PostgreSQL on old did not restart within %s seconds%s\n' "$HOLD_LIMIT" "$(busy)" >>"$STATE/failure" && kill -KILL $$) &
  pause_app
  gate "$1" || failure "PostgreSQL on old could not be restarted: $(tail -n 1 "$LOG" | cut -c 1-300). On old: journalctl -u postgresql"
  resume_app
  result restartMilliseconds $(($(date +%s%3N) - began))
}

# After either, however it ended, the app's statements go on.
unit_restart_ended() {
  go_on restart
}
unit_restart_back_ended() {
  go_on restart-back
}
go_on() {
  set +e
  trap - ERR
  retry_for 60 resume_app
  tell_end "$1" "$SERVICE_RESULT"
}

do_step() {
  [[ $(gate wal-level) != logical ]] || return 0
  follow_work restart
}
