# Clears the app's cache: CACHE_COMMAND, the operator's own, as CACHE_USER, within CACHE_DEADLINE seconds, is set above.
# shellcheck shell=bash

clear_cache() {
  run_as changeover:site.cacheClear "$CACHE_USER" "$CACHE_DEADLINE" "$CACHE_COMMAND"
}
