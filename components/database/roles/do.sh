# Makes the database's roles on new, passwords as they are (hashed), memberships and settings included.
# shellcheck shell=bash
do_step() {
  local name
  # What a run that was killed had made is made again.
  [[ ! -e $STATE/roles-before ]] || undo_step
  keep_first roles-before roles_here
  (umask 077 && gate roles >"$STATE/roles.sql")
  {
    printf '%s\n' "set log_statement = 'none';" "set log_min_error_statement = 'panic';" "set log_min_duration_statement = -1;"
    wanted_roles <"$STATE/roles.sql"
  } | sql --single-transaction postgres
  rm -f "$STATE/roles.sql"
  while IFS= read -r name; do printf '%s\n' "$name"; done < <(roles_here | comm -13 "$STATE/roles-before" -) >"$STATE/made"
}

# The names of new's roles, sorted.
roles_here() {
  sql postgres --command="select rolname from pg_roles" | sort
}

# Of all that defines old's roles, what new needs: roles that are here stay as they are, the superuser and the move's own do not come
# over, settings in one database come with it, memberships come without their grantor. A statement may have several lines.
wanted_roles() {
  awk -v before="$STATE/roles-before" '
    function role_of(text) {
      if (!match(text, /^"([^"]|"")*"/)) { sub(/[ ;].*/, "", text); return text }
      text = substr(text, 2, RLENGTH - 2)
      gsub(/""/, "\"", text)
      return text
    }
    BEGIN { while ((getline name <before) > 0) known[name] = 1 }
    statement == "" && /^(--|\\|$)/ { next }
    {
      statement = statement (statement == "" ? "" : "\n") $0
      rest = statement
      gsub(/"[^"]*"|\047[^\047]*\047/, "", rest)
      if (rest ~ /["\047]/) next
      whole = statement
      statement = ""
    }
    whole ~ /^GRANT "?changeover_/ { next }
    whole ~ /^GRANT / { sub(/ GRANTED BY ("([^"]|"")*"|[^ ";]+);$/, ";", whole); print whole; next }
    whole ~ /^(CREATE ROLE|ALTER ROLE|COMMENT ON ROLE) / {
      name = whole
      sub(/^(CREATE|ALTER|COMMENT ON) ROLE /, "", name)
      name = role_of(name)
      if (rest !~ / IN DATABASE / && name != "postgres" && name !~ /^changeover_/ && !(name in known)) print whole
    }'
}
