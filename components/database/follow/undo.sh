# Nothing follows any more, and the copy is gone.
# shellcheck shell=bash
undo_step() {
  local role
  stop_work
  stop_following
  # The roles are new's own again; whether they stay is the business of the step that made them.
  for role in "${ROLES[@]}"; do
    sql --set=role="$role" postgres <<<"select format('alter role %I login', rolname) from pg_roles where rolname = :'role' \\gexec"
  done
}
