# Old's database can be followed.
# shellcheck shell=bash
verify_step() {
  inquire gate wal-level
  [[ $ANSWERED == logical ]] || die "PostgreSQL on old: wal_level should be logical"
}
