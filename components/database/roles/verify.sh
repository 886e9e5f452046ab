# Every role of the site is there.
# shellcheck shell=bash
verify_step() {
  local role
  for role in "${ROLES[@]}"; do
    inquire sql --set=role="$role" postgres <<<"select count(*) from pg_roles where rolname = :'role'"
    [[ $ANSWERED == 1 ]] || die "role $role should be on new"
  done
}
