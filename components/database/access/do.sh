# Lets the site's roles and the copy's role in from new's address: TLS and SCRAM only.
# shellcheck shell=bash
do_step() {
  local file errors
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
