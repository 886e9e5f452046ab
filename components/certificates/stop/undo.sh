# certbot on old renews them again.
# shellcheck shell=bash
undo_step() {
  local timer
  restore_saved
  for timer in $(certbot_timers); do restore_unit "$timer"; done
}
