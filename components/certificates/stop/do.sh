# certbot on old leaves the site's certificates alone; its timer stops where it has no others.
# shellcheck shell=bash
do_step() {
  local name timer
  keep_first lineages site_lineages
  [[ -s $STATE/lineages ]] || return 0
  wait_until "$((DEADLINE / 2))" "certbot.service on old should end" unit_is_over certbot.service
  while IFS= read -r name; do
    save_path "/etc/letsencrypt/renewal/$name.conf"
    autorenew_off "$name"
  done <"$STATE/lineages"
  ! other_lineages || return 0
  for timer in $(certbot_timers); do
    save_unit "$timer"
    systemctl disable --now -- "$timer"
  done
}

# True when certbot has certificates of others to renew.
other_lineages() {
  find /etc/letsencrypt/renewal -name '*.conf' -printf '%f\n' | sed 's/\.conf$//' | grep -qvxFf "$STATE/lineages"
}
