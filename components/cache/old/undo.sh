# Users are back on old: what its cache has kept from before they left is out of date. That it cannot be cleared stops no way back.
# shellcheck shell=bash
undo_step() {
  (clear_cache) || note "going on: clear the cache on old by hand"
}
