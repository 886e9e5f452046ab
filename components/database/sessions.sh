# Sessions with both databases that stay open: a statement costs a round trip, not a start of psql. MOVE, LOG are set above.
# shellcheck shell=bash

declare -A ASKING=() ANSWERING=()

# Opens a session under a name: open_session NAME COMMAND..., where COMMAND is a psql that reads statements. Needs no room on a disk:
# users may wait for it.
open_session() {
  local asking answering folder
  folder=$(mktemp -d "/run/changeover-$MOVE.XXXXXX")
  mkfifo "$folder/in" "$folder/out"
  "${@:2}" <"$folder/in" >"$folder/out" &
  exec {asking}>"$folder/in" {answering}<"$folder/out"
  rm -rf "$folder"
  ASKING[$1]=$asking
  ANSWERING[$1]=$answering
}

# Sends statements; ANSWER gets all lines that come back. ask NAME STATEMENTS [SECONDS]
ask() {
  local line
  ANSWER=
  printf '%s\n\\echo -- end --\n' "$2" >&"${ASKING[$1]}" || failure "the session with $(session_name "$1") is closed: $(tail -n 1 "$LOG" | cut -c 1-300)"
  while IFS= read -r -t "${3:-60}" line <&"${ANSWERING[$1]}"; do
    [[ $line != '-- end --' ]] || {
      ANSWER=${ANSWER%$'\n'}
      return 0
    }
    ANSWER+=$line$'\n'
  done
  failure "$(session_name "$1") did not do what it was asked: $(tail -n 1 "$LOG" | cut -c 1-300)"
}

# What a session leads to, for people.
session_name() {
  if [[ $1 == pooler ]]; then printf 'PgBouncer on new'; else printf 'the database on %s' "$1"; fi
}

# Closes a session.
close_session() {
  local asking=${ASKING[$1]} answering=${ANSWERING[$1]}
  exec {asking}>&- {answering}<&-
  unset "ASKING[$1]" "ANSWERING[$1]"
}
