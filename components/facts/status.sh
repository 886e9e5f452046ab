# How far a move is on this server, quickly, one fact a line. Reads only; facts.sh stands above, and MOVE, SIDE, PGPORT, STRATEGY, STATUS_SQL.
# shellcheck shell=bash

# Each step that has left a mark: its name, when it was begun, when it was done, in seconds since the epoch.
step_times() {
  local dir
  for dir in /var/lib/changeover/"$MOVE"/*; do
    [[ ! -e $dir/begun ]] ||
      printf '%s\t%s\t%s\n' "${dir##*/}" "$(stat -c %Y "$dir/begun")" "$(stat -c %Y "$dir/done" 2>/dev/null)"
  done
}

# What each step at work said last, and when: name, seconds since the epoch, line.
last_words() {
  local step file
  for step in $(steps_at_work | sort -u); do
    file=/var/lib/changeover/$MOVE/$step/progress
    printf '%s\t%s\t%s\n' "$step" "$(stat -c %Y "$file" 2>/dev/null)" "$(tail -n 1 "$file" 2>/dev/null)"
  done
}

# The results that steps have kept: step, name=value.
step_results() {
  local file dir
  for file in /var/lib/changeover/"$MOVE"/*/result; do
    dir=${file%/*}
    [[ ! -e $file ]] || sed "s|^|${dir##*/}\t|" "$file"
  done
}

# Whether old's nginx passes the site on to new.
passing() {
  local kept=/var/lib/changeover/$MOVE/access-gate/nginx.path
  if [[ -e $kept ]] && grep -q "$MOVE-pass-on.conf" "$(cat "$kept")"; then printf 'yes\n'; else printf 'no\n'; fi
}

# How replication gets on.
follow_facts() {
  local line
  while IFS= read -r line; do
    [[ ! $line =~ ^([A-Za-z]+)$'\t'([[{].*)$ ]] || fact "replication.${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  done < <(sql --set=ON_ERROR_STOP=0 --dbname=postgres <<<"$STATUS_SQL" 2>/dev/null)
  fact replication.walFree "$(df --output=avail -B1 -- "$(sql --command='show data_directory' postgres)/pg_wal" 2>/dev/null | tail -n 1)"
}

# What the steps have left here, and which are at work; of any runbook.
progress_facts() {
  export LC_ALL=C.UTF-8
  cd /
  fact clock "$(date +%s.%N)"
  fact_of steps step_times
  fact_of working last_words
  fact_of results step_results
  fact_of journal tail -n 200 "/var/log/changeover/$MOVE/journal"
  move_facts
}

# Prints every fact.
status() {
  progress_facts
  [[ $SIDE != old ]] || fact passing "$(passing)"
  [[ $SIDE != new ]] || fact users.database "$(cat "/var/lib/changeover/$MOVE/database-switchover/users-on" 2>/dev/null)"
  [[ $SIDE != new ]] || fact maintenance "$(if [[ -e /etc/nginx/changeover/$MOVE/maintenance.conf ]]; then echo yes; else echo no; fi)"
  fact database.error "$(sql_error)"
  [[ $STRATEGY != replicate ]] || follow_facts
  fact complete yes
}
