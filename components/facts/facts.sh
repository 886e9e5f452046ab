# What every look at a server uses: how facts are printed, and which steps have left their marks. Reads only. MOVE and PGPORT are set above.
# shellcheck shell=bash

# Prints one fact; the value comes as arguments. What is not one line without tabs goes in base64.
fact() {
  local value="${*:2}"
  if [[ $value == *[$'\t\n\r']* ]]; then
    printf '%s\t%s\n' "$1" "$(printf '%s' "$value" | base64 -w 0)"
  else
    printf '%s\t=%s\n' "$1" "$value"
  fi
}

# Prints one fact from a command's output, empty where the command fails; where it got no answer, that it could not be found out, with
# what the command said last.
fact_of() {
  local told ended errors began=$SECONDS
  told=$(answer_and_errors "${@:2}")
  # From here on bytes count.
  local LC_ALL=C
  read -r ended errors <<<"${told##*$'\n'}"
  told=${told%$'\n'*}
  errors=${told:${#told}-errors}
  if no_answer "$ended" "$errors"; then
    not_found_out "$1" "'${*:2:2}' got no answer" "$((SECONDS - began))" "$errors"
  else
    fact "$1" "${told:0:${#told}-${#errors}}"
  fi
}

# Runs a command, and prints its output, behind it its errors, and below that how it ended and how many bytes of errors there are.
answer_and_errors() {
  local errors status=0
  { errors=$("$@" 2>&1 >&5) || status=$?; } 5>&1
  local LC_ALL=C
  printf '%s\n%s %s' "$errors" "$status" "${#errors}"
}

# Prints that a fact could not be found out: not_found_out NAME WHAT-WAS-TRIED SECONDS ERRORS
not_found_out() {
  local last
  last=$(grep -v '^ *$' <<<"$4" | tail -n 1 | cut -c 1-200)
  fact "unknown.$1" "$2 within $3 s${last:+ (last it said: $last)}$(busy)"
}

# True when nobody answered a command: no_answer STATUS ERRORS. What a program says of a question that it has understood is an answer.
no_answer() {
  (($1 == 124 || $1 == 137)) ||
    { (($1 != 0)) && grep -qiE 'time(d )?-?out|too many clients|connection slots|starting up|shutting down|terminating connection|closed the connection|connection (reset|refused)|Failed to (connect to bus|get properties)|temporarily unavailable|cannot allocate' <<<"$2"; }
}

# Runs psql as the superuser without waiting for locks; extra arguments pass.
sql() {
  PGCONNECT_TIMEOUT=10 PGAPPNAME='changeover look' \
    PGOPTIONS='-c lock_timeout=2s -c statement_timeout=10s -c default_transaction_read_only=on' superuser_psql --field-separator=$'\t' "$@"
}

# What psql says where PostgreSQL does not answer; nothing where it does.
sql_error() {
  local said
  said=$(sql --command='select 1' postgres 2>&1 >/dev/null) || printf '%s\n' "${said:-psql ended with $?}" | tail -n 1
}

# The steps of moves that have a marker on this server: move/step, one a line.
steps_with() {
  find /var/lib/changeover -mindepth 3 -maxdepth 3 -name "$1" -printf '%h\n' | sed 's|^/var/lib/changeover/||'
}

# The steps of this move whose undo was cut off, or has failed, and that are not as they were done.
half_undone() {
  local dir
  for dir in /var/lib/changeover/"$MOVE"/*; do
    [[ ! -e $dir/undoing || ! -e $dir/done ]] || timeout --kill-after=2 20 bash "$dir/script" check </dev/null >/dev/null 2>&1 || printf '%s\n' "${dir##*/}"
  done
}

# The steps that are done or begun on this server, or half undone.
move_facts() {
  fact_of 'done' steps_with 'done'
  fact_of begun steps_with begun
  fact_of halfUndone half_undone
  local file dir
  for file in /var/lib/changeover/"$MOVE"/*/until; do
    [[ ! -e $file ]] || { dir=${file%/*} && fact "until.${dir##*/}" "$(<"$file")"; }
  done
  # What the site's records were before the move.
  file=/var/lib/changeover/$MOVE/dns-records/records
  [[ ! -e $file ]] || fact dns.records "$(<"$file")"
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
