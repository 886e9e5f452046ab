# Takes the site's cron entries out and waits until no cron job is at work.
# shellcheck shell=bash
do_step() {
  leave_cron take_entries_out
  wait_until "$((DEADLINE - 10))" "cron's jobs on $SIDE should end" cron_idle
  cp "$STATE/handed.cron" "$ROOT/access-gate/handed.cron"
}

take_entries_out() {
  local entry file
  for entry in "${CRON[@]}"; do
    file=$(cron_file "$entry")
    save_path "$file"
    rm -f -- "$file"
  done
}
