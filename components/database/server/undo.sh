# The settings and rules as they were.
# shellcheck shell=bash
undo_step() {
  local setting
  close_database
  [[ -s $STATE/changed ]] || return 0
  sort -u "$STATE/changed" | while IFS= read -r setting; do sql postgres --command="alter system reset $setting"; done
  restart_server
}
