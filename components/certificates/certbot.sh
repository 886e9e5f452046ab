# certbot's files: the site's lineages, who renews them, what came with them. STATE is set above.
# shellcheck shell=bash

# The timers of certbot's packages that are here, one a line: Debian's, snap's.
certbot_timers() {
  local timer
  for timer in certbot.timer snap.certbot.renew.timer; do
    ! systemctl cat -- "$timer" >/dev/null 2>&1 || printf '%s\n' "$timer"
  done
}

# The lineages that nginx's file of the site names and certbot knows here, one a line.
site_lineages() {
  local file name
  for file in $(nginx_files); do
    { sed 's/#.*//' "$file" | grep -Eo '/etc/letsencrypt/live/[^/;"[:space:]]+' || true; } | sed 's|.*/||'
  done | sort -u | while IFS= read -r name; do
    [[ ! -e /etc/letsencrypt/renewal/$name.conf ]] || printf '%s\n' "$name"
  done
}

# certbot renews this lineage no more, whoever calls it: by a timer, by cron.
autorenew_off() {
  local file=/etc/letsencrypt/renewal/$1.conf
  [[ -e $file ]] && ! grep -q '^autorenew *=' "$file" || return 0
  sed 's/^\[renewalparams\] *$/&\nautorenew = False/' "$file" | replace_file "$file"
}

# All that certbot has here.
certbot_files() {
  { find /etc/letsencrypt /var/lib/letsencrypt 2>/dev/null || true; } | LC_ALL=C sort
}

# Remembers what certbot has before this step: what comes after goes with the undo.
remember_certbot() {
  keep_first before certbot_files
}

# The site's lineages, as this step has met them, one a line.
remember_lineage() {
  grep -qxF -- "$1" "$STATE/lineages" 2>/dev/null || printf '%s\n' "$1" >>"$STATE/lineages"
}

# True when a list of files holds the settings of a lineage that is not the site's.
others_in() {
  sed -n 's|^/etc/letsencrypt/renewal/\(.*\)\.conf$|\1|p' "$1" | grep -qvxFf "$STATE/lineages"
}

# The files of a list that are of the site's own lineages.
own_in() {
  awk '
    FILENAME == ARGV[1] { own[$0]; next }
    { split($0, part, "/"); name = part[5]; if (part[4] == "renewal") sub(/\.conf$/, "", name) }
    part[4] ~ /^(live|archive|renewal)$/ && name in own' "$STATE/lineages" "$1"
}

# Removes what certbot has got since; where somebody else has obtained a certificate meanwhile, the site's own lineages alone.
forget_certbot() {
  local path
  [[ -e $STATE/before ]] || return 0
  touch "$STATE/lineages"
  certbot_files | LC_ALL=C comm -13 "$STATE/before" - >"$STATE/after"
  if others_in "$STATE/after"; then own_in "$STATE/after" >"$STATE/own"; else mv "$STATE/after" "$STATE/own"; fi
  tac "$STATE/own" | while IFS= read -r path; do
    if [[ -d $path && ! -L $path ]]; then rmdir --ignore-fail-on-non-empty -- "$path"; else rm -f -- "$path"; fi
  done
}
