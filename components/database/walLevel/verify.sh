# Old's database can be followed.
# shellcheck shell=bash
verify_step() {
  [[ $(gate wal-level) == logical ]] || die "PostgreSQL on old: wal_level should be logical"
}
