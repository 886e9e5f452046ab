# Obtains a certificate for all names of the site by certbot, and lets nginx name it. Users are served by old meanwhile.
# shellcheck shell=bash
# Where certbot puts its answers; nginx reads them.
webroot() {
  printf '/var/www/changeover-%s' "$MOVE"
}

# The lineage's name: the one that nginx names, or the site's first name.
lineage() {
  local name
  [[ -s $STATE/lineage ]] || {
    name=$(sed 's/#.*//' "$(nginx_files)" | { grep -Eom 1 '/etc/letsencrypt/live/[^/;"[:space:]]+' || true; })
    name=${name##*/}
    printf '%s' "${name:-${NAMES[0]}}" >"$STATE/lineage"
  }
  cat "$STATE/lineage"
}

# The file that holds the lineage's settings.
renewal_file() {
  printf '/etc/letsencrypt/renewal/%s.conf' "$(lineage)"
}

# A value of the lineage's settings.
renewal_value() {
  { sed -nE "s/^$1 *= *//p" "$(renewal_file)" 2>/dev/null || true; } | head -n 1
}

# Remembers all that certbot is going to change.
save_lineage() {
  local part
  remember_certbot
  remember_lineage "$(lineage)"
  save_path "$(renewal_file)"
  for part in cert chain fullchain privkey README; do
    [[ $part == README ]] || part+=.pem
    save_path "/etc/letsencrypt/live/$(lineage)/$part"
  done
}

# New answers what an ACME server asks, and old passes that on: tried for every name before an order counts.
answer_challenges() {
  local name token=changeover-$RANDOM$RANDOM
  make_dir "$(webroot)/.well-known/acme-challenge"
  printf '%s' "${ANSWER_CHALLENGES//WEBROOT/$(webroot)}" | replace_file "$(include_dir)/acme.conf"
  reload_nginx
  printf '%s\n' "$token" >"$(webroot)/.well-known/acme-challenge/$token"
  for name in "${NAMES[@]}"; do
    retry_for 10 reaches_new "$name" "$token" ||
      die "http://$name/.well-known/acme-challenge/: should be answered by new by way of old ($OLD_ADDRESS, port 80), but the answer is '$(ask_old "$name" "$token" | head -n 1 | tr -d '\r' | cut -c 1-80)'; a server block of the site on old has to listen on port 80 for $name, and new has to let old in there"
  done
  rm -f "$(webroot)/.well-known/acme-challenge/$token"
}

# What old answers to an ACME server's question.
ask_old() {
  # shellcheck disable=SC2016 # expands in the other bash
  timeout 10 bash -c 'exec 4<>"/dev/tcp/$1/80" && printf "GET /.well-known/acme-challenge/%s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n" "$3" "$2" >&4 && cat <&4' \
    ask "$OLD_ADDRESS" "$1" "$2" 2>/dev/null || true
}

# True when a question about a name gets new's answer.
reaches_new() {
  [[ $(ask_old "$1" "$2") == *"$2" ]]
}

# True when the lineage is of this ACME server, covers all names, and lasts: nothing has to be ordered.
good_already() {
  local name pem
  pem=/etc/letsencrypt/live/$(lineage)/cert.pem
  [[ -e $pem && $(renewal_value server) == "$ACME_SERVER" ]] || return 1
  openssl x509 -in "$pem" -noout -checkend "$EXPIRY" || return 1
  for name in "${NAMES[@]}"; do
    [[ $(openssl x509 -in "$pem" -noout -checkhost "$name") == *"does match"* ]] || return 1
  done
}

# The account at this ACME server that is used: the lineage's, or another one that is here; none where certbot has to register.
account() {
  local folder=/etc/letsencrypt/accounts/${ACME_SERVER#https://} id
  id=$(renewal_value account)
  [[ -n $id && -e $folder/$id/private_key.json ]] || id=$(find -L "$folder" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort | head -n 1)
  [[ ! -e $folder/$id/private_key.json ]] || printf '%s' "$id"
}

# The unit's work: one order, or none where the certificate is good already.
unit_work() {
  local id name
  local -a options=(--email "$ACME_EMAIL")
  if good_already; then
    progress "the certificate $(lineage) is good: nothing is ordered"
    return
  fi
  [[ -n $ACME_EMAIL ]] || options=(--register-unsafely-without-email)
  id=$(account)
  if [[ -z $id ]]; then progress "registering at $ACME_SERVER"; else options=(--account "$id"); fi
  for name in "${NAMES[@]}"; do options+=(--domain "$name"); done
  progress "ordering a certificate for ${NAMES[*]} from $ACME_SERVER"
  timeout --kill-after=10 "$((DEADLINE * 4 / 5))" certbot certonly --non-interactive --agree-tos --server "$ACME_SERVER" \
    --webroot --webroot-path "$(webroot)" --preferred-challenges http --cert-name "$(lineage)" --renew-with-new-domains --force-renewal \
    "${options[@]}" >"$STATE/certbot" 2>&1 || {
    cat "$STATE/certbot"
    failure "$(certbot_problem <"$STATE/certbot")"
  }
  cat "$STATE/certbot"
}

unit_work_ended() {
  tell_end work "$SERVICE_RESULT"
}

# What renews it later uses new's folder, and waits for its time.
prepare_renewal() {
  local file
  file=$(renewal_file)
  if [[ $(renewal_value authenticator) != webroot || $(renewal_value webroot_path) != "$(webroot),"* ]]; then
    awk -v path="$(webroot)" '
      /^\[\[/ { inner = 1 }
      inner || /^(authenticator|installer|webroot_path|pref_challs) *=/ { next }
      { print }
      /^\[renewalparams\]/ { print "authenticator = webroot\nwebroot_path = " path "," }' "$file" | replace_file "$file"
  fi
  autorenew_off "$(lineage)"
}

# nginx names the certificate where certbot keeps it.
name_in_nginx() {
  local live file
  live=/etc/letsencrypt/live/$(lineage)
  file=$(readlink -f -- "$(nginx_files)")
  save_path "$file"
  with_certificate "$live/fullchain.pem" "$live/privkey.pem" "$live/chain.pem" <"$file" >"$STATE/nginx"
  replace_file "$file" <"$STATE/nginx"
  reload_nginx
}

do_step() {
  command -v certbot >/dev/null || die "certbot: should be installed on new; on new: apt-get install certbot, or go back to 'idle' and forward again"
  save_lineage
  answer_challenges
  follow_work work
  prepare_renewal
  name_in_nginx
}
