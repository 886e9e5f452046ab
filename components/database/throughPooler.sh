# The app reaches the database through PgBouncer: its statements wait there, and PgBouncer's file leads them to a side. What pooler.sh and
# sessions.sh want is set above.
# shellcheck shell=bash

# For so many seconds it is tried to lead the app to a side: PgBouncer takes any.
# shellcheck disable=SC2034 # switchover.sh reads it
readonly LEAD_LIMIT=1200

# What the hold needs, while statements run: a session with PgBouncer, and its file that leads to the side.
prepare_hold() {
  CLOSED=
  open_session pooler pooler_psql "$DEADLINE"
  pooler_file "$(host_of "$1")" | replace_file "$POOLER_INI.$1"
  chown --reference="$POOLER_INI" "$POOLER_INI.$1"
  chmod --reference="$POOLER_INI" "$POOLER_INI.$1"
}

# Where PgBouncer finds a side.
host_of() {
  if [[ $1 == old ]]; then ip_of "$OLD_ADDRESS"; else printf 127.0.0.1; fi
}

# From here on statements wait, within the budget, until the database is a side's.
hold() {
  progress "switching the database to $1: statements wait"
  now
  HELD_SINCE=$NOW
  watch_budget &
  hold_statements "${OTHER[$1]}"
}

# The app's statements wait; those that run are finished first. A login at the server that is under way would be cut off, and taken
# for a server that refuses: clients would fail after the hold. So it begins when there is none. hold_statements SIDE
hold_statements() {
  local end=$((SECONDS + 2))
  until ask pooler 'show servers;' && [[ $ANSWER != *"|new|"* ]]; do
    ((SECONDS < end)) || break
  done
  if [[ $POOLER_MODE == session ]]; then suspend_sessions "$1"; else ask pooler 'pause;'; fi
}

# Statements will go to a side. PgBouncer's file is mostly there, made ahead or never changed, for the disk may be full.
lead_to() {
  local host
  if [[ -e $POOLER_INI.$1 ]]; then
    mv -- "$POOLER_INI.$1" "$POOLER_INI"
    return
  fi
  host=$(host_of "$1") || return
  [[ $(pooler_host) == "$host" ]] || pooler_file "$host" | replace_file "$POOLER_INI" || return
  rm -f -- "$POOLER_INI.old" "$POOLER_INI.new"
}

# They go on.
release() {
  if [[ -n ${ASKING[pooler]:-} ]]; then ask pooler 'reload; resume;'; else wake_pooler && pooler_command 'reload' && resume_app; fi
}

# Says how long they waited.
tell_hold() {
  result databaseHoldMilliseconds "$((NOW - HELD_SINCE))"
  progress "the database is $1's: statements waited for $((NOW - HELD_SINCE)) ms ($LAPS)$CLOSED"
}

# PgBouncer leads to new's own database.
check_leads_to_new() {
  [[ $(pooler_host) == 127.0.0.1 ]] || die "PgBouncer on new: should lead to new's own database, but leads to $(pooler_host)"
}
