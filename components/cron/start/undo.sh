# Takes the cron entries off new and waits until no cron job is at work.
# shellcheck shell=bash
undo_step() {
  restore_saved
  cron_notices
  wait_until "$((DEADLINE - 10))" "cron's jobs on $SIDE should end" cron_idle
}
