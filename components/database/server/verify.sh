# PostgreSQL can be followed, and lets old's in.
# shellcheck shell=bash
verify_step() {
  inquire sql postgres --command='show wal_level'
  [[ $ANSWERED == logical ]] || die "PostgreSQL on $SIDE: wal_level should be logical"
  inquire sql postgres --command="select count(*) from pg_hba_file_rules where 'changeover_$MOVE' = any(user_name) and error is null"
  [[ $ANSWERED == 1 ]] || die "$(hba_file): should let changeover_$MOVE in from old"
  verify_hba_fence
}
