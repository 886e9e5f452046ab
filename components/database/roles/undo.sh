# Removes the roles that do made.
# shellcheck shell=bash
undo_step() {
  local name
  [[ -e $STATE/roles-before ]] || return 0
  while IFS= read -r name; do
    sql --set=role="$name" postgres <<<'drop role if exists :"role"'
  done < <(sql postgres --command="select rolname from pg_roles" | sort | comm -13 "$STATE/roles-before" -)
}
