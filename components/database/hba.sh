# The rules with which one server reaches the other's database. DATABASE is set above.
# shellcheck shell=bash

# The file with the rules of who may log in.
hba_file() {
  sql postgres --command='show hba_file'
}

# One rule of this move for one database and role, names in quotes.
hba_rule() {
  local ip=$3 bits=32
  [[ $ip != *:* ]] || bits=128
  printf 'hostssl "%s" "%s" %s/%s scram-sha-256\n' "$1" "$2" "$ip" "$bits"
}

# The move's rules between two marks, so that they can be taken out to the letter: hba_block ADDRESS ROLE...
hba_block() {
  local role ip
  ip=$(ip_of "$1")
  printf '# changeover %s begins\n' "$MOVE"
  for role in "${@:2}"; do hba_rule "$DATABASE" "$role" "$ip"; done
  printf '# changeover %s ends\n' "$MOVE"
}

# The rules without the move's own.
hba_without_block() {
  sed "/^# changeover $MOVE begins\$/,/^# changeover $MOVE ends\$/d" "$1"
}

# Rules that PostgreSQL cannot read.
hba_errors() {
  sql postgres --command="select 'line ' || line_number || ': ' || error from pg_hba_file_rules where error is not null"
}

# Takes the move's rules out; what else changed in the file stays.
close_database() {
  local file
  file=$(hba_file)
  grep -q "^# changeover $MOVE begins\$" "$file" || return 0
  hba_without_block "$file" >"$STATE/hba"
  replace_file "$file" <"$STATE/hba"
  sql postgres --command='select pg_reload_conf()'
}
