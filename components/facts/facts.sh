# What every look at a server uses: how facts are printed, and which steps have left their marks. Reads only. MOVE and PGPORT are set above.
# shellcheck shell=bash

# Prints one fact; the value comes as arguments.
fact() {
  printf '%s\t%s\n' "$1" "$(printf '%s' "${*:2}" | base64 -w 0)"
}

# Prints one fact from a command's output, empty where the command fails.
fact_of() {
  printf '%s\t%s\n' "$1" "$("${@:2}" 2>/dev/null | base64 -w 0)"
}

# Runs psql as the superuser without waiting for locks; extra arguments pass.
sql() {
  PGOPTIONS='-c lock_timeout=2s -c statement_timeout=10s -c default_transaction_read_only=on' \
    runuser -u postgres -- psql --no-psqlrc --quiet --no-align --tuples-only --field-separator=$'\t' --set=ON_ERROR_STOP=1 \
    --port="$PGPORT" "$@"
}

# The steps of moves that have a marker on this server: move/step, one a line.
steps_with() {
  find /var/lib/changeover -mindepth 3 -maxdepth 3 -name "$1" -printf '%h\n' | sed 's|^/var/lib/changeover/||'
}

# The steps of this move whose undo was cut off, or has failed, and that are not as they were done.
half_undone() {
  local dir
  for dir in /var/lib/changeover/"$MOVE"/*/; do
    [[ ! -e $dir/undoing || ! -e $dir/done ]] || timeout --kill-after=2 20 bash "$dir/script" check </dev/null >/dev/null 2>&1 || basename "$dir"
  done
}

# The steps that are done or begun on this server, or half undone.
move_facts() {
  fact_of 'done' steps_with 'done'
  fact_of begun steps_with begun
  fact_of halfUndone half_undone
  local file
  for file in /var/lib/changeover/"$MOVE"/*/until; do
    [[ ! -e $file ]] || fact "until.$(basename "$(dirname "$file")")" "$(cat "$file")"
  done
  # What the site's records were before the move.
  file=/var/lib/changeover/$MOVE/dns-records/records
  [[ ! -e $file ]] || fact dns.records "$(cat "$file")"
}

# The steps of this move that are at work on this server: a run holds the step's lock, or the step's unit runs.
steps_at_work() {
  local file
  for file in /run/lock/changeover-"$MOVE"-*; do
    [[ ! -e $file ]] || flock --shared --nonblock "$file" true || printf '%s\n' "${file#"/run/lock/changeover-$MOVE-"}"
  done
  # One that has ended and only counts as active, as the guard of a copy after its boot, is at work no more.
  systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading "changeover-$MOVE-*.service" |
    awk '$4 != "exited" { print $1 }' | sed "s/^changeover-$MOVE-//; s/\.service$//"
}
