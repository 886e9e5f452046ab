# No trace of it is left.
# shellcheck shell=bash
undo_step() {
  unpublish "$STATE/identities"
}
