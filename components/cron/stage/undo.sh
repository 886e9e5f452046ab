# The entries go with the state folder.
# shellcheck shell=bash
undo_step() {
  rm -f "$STATE/cron.tar"
}
