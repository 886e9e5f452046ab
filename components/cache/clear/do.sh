# Clears the app's cache on new.
# shellcheck shell=bash
do_step() {
  clear_cache
  : >"$STATE/cleared"
}
