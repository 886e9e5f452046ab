# certbot on new renews the site's certificates from here on. Each renewal reaches nginx on new, and old while users come through it.
# shellcheck shell=bash
# What certbot runs after a renewal.
hook_file() {
  printf '/etc/letsencrypt/renewal-hooks/deploy/changeover-%s' "$MOVE"
}

# A lineage is renewed again, unless it was not on old either.
autorenew_on() {
  local file=etc/letsencrypt/renewal/$1.conf
  ! tar -xOf "$ROOT/certificates/certificates.tar" "$file" 2>/dev/null | grep -qi '^autorenew *= *false' || return 0
  { grep -vi '^autorenew *= *false' "/$file" || true; } | replace_file "/$file"
}

# certbot wants the folders that its settings name.
make_webroots() {
  local folder
  sed -nE 's/^webroot_path *= *//p' "/etc/letsencrypt/renewal/$1.conf" | tr ',' '\n' | sed 's/^ *//; s/ *$//' | { grep '^/' || true; } |
    while IFS= read -r folder; do make_dir "$folder"; done
}

do_step() {
  local name timer
  site_lineages >"$STATE/lineages"
  [[ -s $STATE/lineages ]] || return 0
  make_dir "$(dirname "$(hook_file)")"
  {
    printf '#!/bin/bash\n'
    printf '%s=%q\n' LINEAGES "$(paste -sd ' ' "$STATE/lineages")" GATE "$ROOT/access-key" OLD "$OLD_USER@$OLD_ADDRESS"
    printf '%s\n' "$HOOK"
  } | replace_file "$(hook_file)" 755
  while IFS= read -r name; do
    make_webroots "$name"
    autorenew_on "$name"
    [[ $CERTIFICATES != acme ]] || RENEWED_LINEAGE=/etc/letsencrypt/live/$name "$(hook_file)" ||
      die "certificate $name: old should serve it while it passes the site on, but: $(tail -n 1 "$LOG" | cut -c 1-200)"
  done <"$STATE/lineages"
  for timer in $(certbot_timers); do
    save_unit "$timer"
    systemctl enable --now -- "$timer"
  done
}
