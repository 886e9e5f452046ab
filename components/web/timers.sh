# systemd's timers: a run that is due while a timer changes its server happens once. What is due next is kept in $STATE/handed.NAME.
# shellcheck shell=bash

# A moment that systemd tells of a unit, in seconds since the epoch; 0 where there is none.
moment_of() {
  local told
  told=$(TZ=UTC systemctl show --property="$1" --value -- "$2")
  if [[ $told == *-*:* ]]; then date -d "$told" +%s; else printf '0\n'; fi
}

# The units that a timer starts.
started_by() {
  systemctl show --property=Triggers --value -- "$1"
}

# Stops a timer between two runs, and keeps when the next one is due.
halt_timer() {
  local due
  while :; do
    ! systemctl is-active --quiet -- "$1" || {
      # Before it stops: a run that is killed in between still knows.
      keep "handed.$1" moment_of NextElapseUSecRealtime "$1"
      systemctl stop -- "$1"
    }
    due=$(cat "$STATE/handed.$1" 2>/dev/null || printf 0)
    ((due > 0 && $(moment_of LastTriggerUSec "$1") >= due)) || break
    # It has run meanwhile: what is due after that counts.
    systemctl start -- "$1"
  done
}

# What a timer has started has ended.
await_timers_work() {
  local unit
  [[ $1 == *.timer ]] || return 0
  for unit in $(started_by "$1"); do
    wait_until "$((DEADLINE - 10))" "$unit should end on $SIDE" unit_is_over "$unit"
  done
}

# Starts a timer. What was due since it stopped elsewhere runs once, and nothing else at once: a timer that is Persistent finds that out
# by its own stamp.
run_timer() {
  local timer=$1 due stamp=/var/lib/systemd/timers/stamp-$1
  ! systemctl is-active --quiet -- "$timer" || return 0
  due=$(cat "$STATE/handed.$timer" 2>/dev/null || printf 0)
  if ((due > 0)) && [[ $(systemctl show --property=Persistent --value -- "$timer") == yes ]]; then
    mkdir -p /var/lib/systemd/timers
    touch --date="@$((due - 1))" -- "$stamp"
  fi
  rm -f "$STATE/handed.$timer"
  systemctl start -- "$timer"
  if ((due > 0 && due <= $(date +%s) && $(moment_of LastTriggerUSec "$timer") < due && $(moment_of NextElapseUSecRealtime "$timer") > due)); then
    note "$timer: was due at $(date -u -d "@$due" '+%F %T UTC'), while it changed its server: it runs now"
    # shellcheck disable=SC2046 # one word a unit
    systemctl start --no-block -- $(started_by "$timer")
  fi
}
