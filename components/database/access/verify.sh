# The rules are in force.
# shellcheck shell=bash
verify_step() {
  inquire sql postgres --command="select count(*) from pg_hba_file_rules where type = 'hostssl' and 'changeover_$MOVE' = any(user_name) and error is null"
  [[ $ANSWERED == 1 ]] || die "$(hba_file): should let changeover_$MOVE in from new, but $ANSWERED rules do"
  verify_hba_fence
}
