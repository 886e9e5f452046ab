# Makes the database's roles on new, passwords as they are (hashed), memberships and settings included.
# shellcheck shell=bash
do_step() {
  local name
  # What a run that was killed had made is made again.
  [[ ! -e $STATE/roles-before ]] || undo_step
  sql postgres --command="select rolname from pg_roles" | sort >"$STATE/roles-before.new"
  [[ -e $STATE/roles-before ]] || mv "$STATE/roles-before.new" "$STATE/roles-before"
  (umask 077 && gate roles >"$STATE/roles.sql")
  {
    printf '%s\n' "set log_statement = 'none';" "set log_min_error_statement = 'panic';" "set log_min_duration_statement = -1;"
    # Roles that are here stay as they are; the superuser and the copy's role do not come over.
    grep -E '^(CREATE ROLE|ALTER ROLE|GRANT) ' "$STATE/roles.sql" | grep -vE '^(CREATE|ALTER) ROLE "?(postgres|changeover_[^ ;]*)"?[ ;]' |
      grep -v ' IN DATABASE ' | known_roles_out
  } | sql --single-transaction postgres
  rm -f "$STATE/roles.sql"
  while IFS= read -r name; do printf '%s\n' "$name"; done < <(sql postgres --command="select rolname from pg_roles" | sort | comm -13 "$STATE/roles-before" -) >"$STATE/made"
}

# Leaves out definitions of roles that were on new before the move; GRANTs of memberships come without their grantor.
known_roles_out() {
  awk -v before="$(cat "$STATE/roles-before")" '
    BEGIN { n = split(before, names, "\n"); for (i = 1; i <= n; i++) known[names[i]] = 1 }
    $1 == "GRANT" { sub(/ GRANTED BY [^;]*/, ""); print; next }
    { name = $3; sub(/;$/, "", name); gsub(/^"|"$/, "", name); if (!(name in known)) print }'
}
