# certbot on new leaves the site's certificates alone again. What it has renewed is served on, until the certificates go.
# shellcheck shell=bash
undo_step() {
  local timer name
  [[ -s $STATE/lineages ]] || return 0
  for timer in $(certbot_timers); do
    [[ -e $STATE/unit.$timer ]] || continue
    [[ $(cat "$STATE/unit.$timer") == "enabled "* ]] || systemctl disable -- "$timer"
    [[ $(cat "$STATE/unit.$timer") == *" active" ]] || systemctl stop -- "$timer"
    restore_unit "$timer"
  done
  wait_until "$((DEADLINE / 2))" "certbot.service on new should end" unit_is_over certbot.service
  while IFS= read -r name; do autorenew_off "$name"; done <"$STATE/lineages"
  rm -f -- "$(hook_file)"
  remove_made_dirs
}
