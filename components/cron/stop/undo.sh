# Puts the cron entries back.
# shellcheck shell=bash
undo_step() {
  restore_saved
  cron_notices
}
