# The site's cron entries as files. CRON is set above: paths, or "crontab of USER". Each minute has one owner: $STATE/handed.cron holds the
# last one (since the epoch) whose jobs some server has started.
# shellcheck shell=bash

# The file of an entry.
cron_file() {
  case $1 in
    "crontab of "*) printf '/var/spool/cron/crontabs/%s' "${1#crontab of }" ;;
    *) printf '%s' "$1" ;;
  esac
}

# cron looks at a folder's time to see changes.
cron_notices() {
  touch /etc/cron.d
  [[ ! -d /var/spool/cron/crontabs ]] || touch /var/spool/cron/crontabs
}

# True when cron has no job at work, nor this move one that cron has missed.
cron_idle() {
  local cron
  cron=$(systemctl show --property=MainPID --value cron.service)
  [[ -z $(ps --ppid "${cron:-0}" -o args=) ]] &&
    [[ -z $(systemctl list-units --plain --no-legend --state=active,activating,deactivating "changeover-$MOVE-*-missed-*.service") ]]
}

# The minute that it is.
minute() {
  printf '%s\n' "$((EPOCHSECONDS / 60))"
}

# True in seconds in which cron starts nothing: what is due in this minute is under way, and the next minute is some seconds off. A
# server whose clock is behind waits until its own cron has passed what the other one has started.
cron_is_between() {
  local second=$((EPOCHSECONDS % 60)) handed=0
  [[ ! -e $STATE/handed.cron ]] || handed=$(cat "$STATE/handed.cron")
  ((second >= 3 && second < 57 && EPOCHSECONDS / 60 >= handed))
}

await_quiet_cron() {
  wait_until 100 "cron on $SIDE should be between two minutes" cron_is_between
}

# From here on cron on this server starts the site's jobs no more: leave_cron COMMAND..., which takes the entries away.
leave_cron() {
  if [[ -e $STATE/owned.cron || ! -e $STATE/handed.cron ]]; then
    await_quiet_cron
    keep handed.cron minute
    rm -f "$STATE/owned.cron"
  fi
  "$@"
  cron_notices
}

# From here on cron on this server starts the site's jobs: own_cron COMMAND..., which puts the entries in place. What was due since
# another one has let go of them is started at once.
own_cron() {
  [[ -e $STATE/owned.cron ]] || {
    forget_missed
    await_quiet_cron
    keep owned.cron minute
  }
  "$@"
  cron_notices
  [[ -e $STATE/handed.cron ]] || return 0
  run_missed "$(cat "$STATE/handed.cron")" "$(cat "$STATE/owned.cron")"
  # In this order: a run that is killed here would start them again.
  rm -f "$STATE/handed.cron"
  forget_missed
}
