# One write through the site's public name, looked up in a database. DATABASE and the settings of changeover:site.canary are set above;
# the token is the write's own mark.
# shellcheck shell=bash

# True when the query finds the token's row in this server's database: canary_found TOKEN
canary_found() {
  local found
  found=$(PGOPTIONS='-c statement_timeout=10s -c default_transaction_read_only=on' sql --set=token="$1" "$DATABASE" <<<"$CANARY_QUERY" 2>&1) || {
    printf 'changeover:site.canary.query fails: %s\n' "${found%%$'\n'*}"
    return 1
  }
  found=${found%%$'\n'*}
  printf 'changeover:site.canary.query gives %s\n' "${found:-no row}"
  [[ -n $found && $found != 0 && $found != f ]]
}

# Removes the token's row by the settings' own statement, where there is one: remove_canary TOKEN
remove_canary() {
  [[ -n $CANARY_CLEANUP ]] || return 0
  PGOPTIONS='-c statement_timeout=10s' sql --set=token="$1" --single-transaction "$DATABASE" <<<"$CANARY_CLEANUP"
}
