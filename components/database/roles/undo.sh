# Removes the roles that do made.
# shellcheck shell=bash
undo_step() {
  local name
  [[ -e $STATE/roles-before ]] || return 0
  while IFS= read -r name; do
    sql --set=role="$name" postgres <<'SQL'
select current_setting('server_version_num')::int >= 150000 as parameters \gset
\if :parameters
select format('revoke all on parameter %s from %I cascade', parname, :'role') from pg_parameter_acl, aclexplode(paracl) a
  join pg_roles r on r.oid = a.grantee where rolname = :'role' \gexec
\endif
drop role if exists :"role";
SQL
  done < <(roles_here | comm -13 "$STATE/roles-before" -)
}
