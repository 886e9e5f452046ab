# The key goes with the state folder.
# shellcheck shell=bash
undo_step() {
  rm -f "$STATE/key" "$STATE/key.pub"
}
