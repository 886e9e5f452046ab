# Copies the site's certificates and keys, links, accounts and renewal settings included; nobody renews them here yet.
# shellcheck shell=bash
do_step() {
  local member
  remember_certbot
  pull_group certificates
  while IFS= read -r -d '' member; do
    member=/$member
    [[ $member == /etc/letsencrypt/renewal/*.conf ]] || continue
    remember_lineage "$(basename "$member" .conf)"
    autorenew_off "$(basename "$member" .conf)"
  done <"$STATE/pulled.certificates"
}
