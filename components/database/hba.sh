# The rules with which one server reaches the other's database. DATABASE and what fence.sh has are set above.
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

# Rules that keep the fence's group out of the site's database. Who runs the steps stays, though the app's role may be granted to it.
hba_fence() {
  printf 'local "%s" "postgres" peer\n' "$DATABASE"
  printf 'local "%s" +%s reject\n' "$DATABASE" "$FENCED"
  printf 'host "%s" +%s all reject\n' "$DATABASE" "$FENCED"
}

# The move's rules between two marks, so that they can be taken out to the letter: hba_block ADDRESS ROLE...
hba_block() {
  local role ip
  ip=$(ip_of "$1")
  printf '# changeover %s begins\n' "$MOVE"
  hba_fence
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

# Fails unless the rules of the fence are there.
verify_hba_fence() {
  inquire sql postgres --command="select $REJECTING_LINES"
  [[ $ANSWERED == 2 ]] || die "$(hba_file): should reject $FENCED for the database $DATABASE by socket and by network"
}

# Takes the move's rules and its group out; what else changed in the file stays.
close_database() {
  local file
  drop_fence_group
  file=$(hba_file)
  grep -q "^# changeover $MOVE begins\$" "$file" || return 0
  hba_without_block "$file" >"$STATE/hba"
  replace_file "$file" <"$STATE/hba"
  sql postgres --command='select pg_reload_conf()'
}
