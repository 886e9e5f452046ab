# The hold with session pooling: a session of the app keeps its connection to the server for as long as it lives, so it cannot go on at
# the other side, only be closed. HOLD_BUDGET (seconds) and what sessions.sh, follow.sh, pooler.sh and switchover.sh have are set above.
# shellcheck shell=bash

# PgBouncer reads nothing from clients any more, and what runs is finished. An open transaction could not go on, so it begins in a
# moment without one, if one comes in a quarter of the budget; in another quarter statements may end. What is left then is ended by
# the fence. CLOSED says for how many it is the end; NOW stays when the hold began. suspend_sessions SIDE
suspend_sessions() {
  local began=$NOW end closed
  end=$((NOW + HOLD_BUDGET * 250))
  while :; do
    now
    await_sessions "$1" "state like 'idle in transaction%'" $((end - NOW))
    ask pooler 'show clients; show servers; suspend; show servers;'
    closed=$(held_sessions <<<"$ANSWER")
    now
    await_sessions "$1" "state not like 'idle%'" $((end + HOLD_BUDGET * 250 - NOW))
    ask "$1" "select count(*) from pg_stat_activity where $APP_SESSION and state <> 'idle';"
    now
    ((ANSWER > 0 && NOW < end)) || break
    ask pooler 'resume;'
  done
  NOW=$began
  # shellcheck disable=SC2034 # the switch tells it
  CLOSED="; closed: $closed sessions, of which in a transaction: $ANSWER"
}

# Waits until a condition holds for no session of the app, some milliseconds at most: await_sessions SIDE CONDITION MILLISECONDS
await_sessions() {
  ask "$1" "do \$\$ declare began timestamptz := clock_timestamp(); begin
      while clock_timestamp() < began + interval '$3 milliseconds' and exists (select from pg_stat_activity where $APP_SESSION and $2) loop
        perform pg_stat_clear_snapshot(), pg_sleep(0.001);
      end loop;
    end \$\$;"
}

# The number of clients that have, or wait for, a connection to the server, out of lists of PgBouncer's.
held_sessions() {
  awk '/^S\|.*\|active\|/ || /^C\|.*\|waiting\|/ { match($0, /0x[0-9a-f]+/); if (!seen[substr($0, RSTART, RLENGTH)]++) n++ } END { print n + 0 }'
}
