# Lets the site's roles and the copy's role in from new's address, TLS and SCRAM only, and makes what the fence needs.
# shellcheck shell=bash
do_step() {
  local file errors
  make_fence_group
  find_shared_roles
  file=$(hba_file)
  {
    hba_block "$NEW_ADDRESS" "${ROLES[@]}" "changeover_$MOVE"
    hba_without_block "$file"
  } >"$STATE/hba"
  replace_file "$file" <"$STATE/hba"
  errors=$(hba_errors)
  [[ -z $errors ]] || die "$file: PostgreSQL cannot read it: $errors"
  sql postgres --command='select pg_reload_conf()'
}
