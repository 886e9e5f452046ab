# No trace of it is left.
# shellcheck shell=bash
undo_step() {
  local table identity
  sql --set=name="changeover_$MOVE" "$DATABASE" <<'SQL'
set client_min_messages = warning;
set lock_timeout = '30s';
drop publication if exists :"name";
drop schema if exists :"name" cascade;
SQL
  [[ -e $STATE/identities ]] || return 0
  while IFS=$'\t' read -r table identity; do
    [[ $(sql --set=name="$table" "$DATABASE" <<<"select to_regclass(:'name') is not null") == t ]] || continue
    if [[ $identity == n ]]; then identity=nothing; else identity=default; fi
    wait_until 120 "$table should be free for a moment, so that its replica identity can be put back" set_identity "$table" "$identity"
  done <"$STATE/identities"
}
