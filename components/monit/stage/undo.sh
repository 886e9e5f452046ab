# The files go with the state folder.
# shellcheck shell=bash
undo_step() {
  rm -rf "$STATE/monit.tar" "$STATE/tried"
}
