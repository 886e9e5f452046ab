# PgBouncer leads to new's database.
# shellcheck shell=bash
verify_step() {
  [[ $(pooler_host) == 127.0.0.1 ]] || die "PgBouncer on new: should lead to new's own database, but leads to $(pooler_host)"
}
