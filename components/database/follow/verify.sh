# New follows old, or, once users have come to new's database, old follows new.
# shellcheck shell=bash
verify_step() {
  local link
  link=${LINK[new]}
  [[ $(cat "$ROOT/database-switchover/users-on" 2>/dev/null) != new ]] || return 0
  inquire sql --set=link="$link" "$DATABASE" <<<"select count(*) from pg_stat_subscription where subname = :'link' and pid is not null and relid is null"
  [[ $ANSWERED == 1 ]] ||
    die "subscription $link on new: should follow old's database, but its worker is not at work; see the log of PostgreSQL on new"
}
