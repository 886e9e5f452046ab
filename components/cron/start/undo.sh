# Takes the cron entries off new, waits until no cron job is at work, and tells old up to when they were done.
# shellcheck shell=bash
undo_step() {
  if compgen -G "$STATE/saved/*.path" >/dev/null; then leave_cron restore_saved; fi
  wait_until "$((DEADLINE - 10))" "cron's jobs on $SIDE should end" cron_idle
  hand_back cron
}
