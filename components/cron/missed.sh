# What cron has missed while the site's jobs changed their server. DUE (due.awk) is set above, and what entries.sh has is used here.
# shellcheck shell=bash

# Starts every job that was due after one minute up to another, both since the epoch, once for each time; after a long while, once.
run_missed() {
  local last=$1 now=$2 index
  ((last < now)) || return 0
  keep_first missed missed_jobs "$last" "$now"
  for ((index = 1; index <= $(wc -l <"$STATE/missed"); index++)); do
    [[ ! -e $STATE/ran.$index ]] || continue
    note "cron: $(awk -F '\t' -v job="$index" 'NR == job { printf "%s, line %d, was due %d times", $3, $2, $1 }' "$STATE/missed") while cron changed hands: it runs now on $SIDE"
    systemd-run --quiet --collect --unit="$(unit_name)-missed-$index" /bin/bash "$STATE/script" missed "$index"
    wait_until 30 "$(unit_name)-missed-$index should start" test -e "$STATE/ran.$index"
  done
}

# What was missed has been started.
forget_missed() {
  rm -f "$STATE/missed" "$STATE"/ran.*
}

# The jobs that were due: how many times, the line in the entry's file (0: the file itself is the job), the entry.
missed_jobs() {
  local last=$1 now=$2 entry count line minutes='' at
  for ((at = now - last > 1440 ? now - 1440 : last + 1; at <= now; at++)); do
    printf -v minutes '%s %(%-M:%-H:%-d:%-m:%w)T' "$minutes" "$((at * 60))"
  done
  for entry in "${CRON[@]}"; do
    while IFS=$'\t' read -r count line; do
      ((now - last <= 10)) || count=1
      printf '%s\t%s\t%s\n' "$count" "$line" "$entry"
    done < <(due_lines "$entry" "$minutes")
  done
}

# The due lines of an entry. What lies in /etc/cron.daily and the like is due with that folder, where anacron does not see to it.
due_lines() {
  local folder count line
  [[ $1 =~ ^/etc/cron\.(hourly|daily|weekly|monthly)/ ]] || {
    awk -v minutes="$2" "$DUE" "$(cron_file "$1")"
    return
  }
  folder=$(dirname "$1")
  [[ ! -x /usr/sbin/anacron || $folder == /etc/cron.hourly ]] || return 0
  while IFS=$'\t' read -r count line; do
    ! sed -n "${line}p" /etc/crontab | grep -qF "$folder" || printf '%s\t0\n' "$count"
  done < <(awk -v minutes="$2" "$DUE" /etc/crontab)
}

# The work of a missed job's unit.
unit_missed() {
  local count line entry
  IFS=$'\t' read -r count line entry < <(sed -n "$1p" "$STATE/missed")
  : >"$STATE/ran.$1"
  for (( ; count > 0; count--)); do run_job "$entry" "$line" || printf 'a job of %s ended with %s\n' "$entry" "$?"; done
}

# Runs a job as cron does: with the settings above its line, as its user, in the user's home; its output goes to the step's log.
run_job() (
  local file user text command input name runuser
  file=$(cron_file "$1")
  user=${1#crontab of }
  runuser=$(command -v runuser)
  if (($2 == 0)); then
    cd / && exec "$file"
  fi
  text=$(sed -n "$2p" "$file")
  text=$(sed -E 's/^[[:space:]]*(@[a-z]+|([^[:space:]]+[[:space:]]+){4}[^[:space:]]+)[[:space:]]+//' <<<"$text")
  if [[ $1 != "crontab of "* ]]; then
    user=${text%%[[:space:]]*}
    text=$(sed -E 's/^[^[:space:]]+[[:space:]]+//' <<<"$text")
  fi
  # A percent sign ends the command; what follows is its input, with line ends in the place of further ones.
  text=$(sed -E 's/\\%/\x01/g; s/%/\x02/; s/%/\n/g; s/\x01/%/g' <<<"$text")
  command=${text%%$'\x02'*}
  input=''
  [[ $text != *$'\x02'* ]] || input=${text#*$'\x02'}$'\n'
  for name in $(compgen -e); do unset "$name"; done
  export LOGNAME=$user HOME SHELL=/bin/sh PATH=/usr/bin:/bin
  HOME=$(/usr/bin/getent passwd -- "$user" | /usr/bin/cut -d : -f 6)
  take_assignments "$2" <"$file"
  cd "$HOME" || cd /
  exec "$runuser" -u "$user" -- "$SHELL" -c "$command" < <(printf '%s' "$input")
)

# Exports the settings that stand above a line of a crontab, without the quotes around them: take_assignments NUMBER
take_assignments() {
  local number=0 line name value
  local pattern='^[[:space:]]*["'\'']?([A-Za-z_][A-Za-z0-9_]*)["'\'']?[[:space:]]*=[[:space:]]*(.*)$'
  while ((++number < $1)) && IFS= read -r line; do
    [[ $line =~ $pattern ]] || continue
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    value=${value%"${value##*[![:space:]]}"}
    [[ ! $value =~ ^\"(.*)\"$ && ! $value =~ ^\'(.*)\'$ ]] || value=${BASH_REMATCH[1]}
    export "$name=$value"
  done
}
