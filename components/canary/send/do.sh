# Sends one write as users do, by old's address or where the site's name leads, and looks it up in new's database.
# shellcheck shell=bash
# Where users come to the site by its name.
way_in() {
  local address
  if [[ $CANARY_BY == old ]]; then
    address=$(ip_of "$OLD_ADDRESS")
  else
    [[ -n $DNS_SERVER ]] || address=$(ip_of "${NAMES[0]}")
    [[ -z $DNS_SERVER ]] || address=$(for type in A AAAA; do dig @"$DNS_SERVER" -p "$DNS_PORT" +short +time=3 +tries=2 "${NAMES[0]}" "$type"; done | grep -E '^[0-9.]+$|:' | head -n 1)
    [[ -n $address ]] || die "${NAMES[0]}: should lead to an address at ${DNS_SERVER:-the resolver of new}, but leads to none"
  fi
  if [[ $address == *:* ]]; then printf '[%s]' "$address"; else printf '%s' "$address"; fi
}

# Sends the write, and expects the answer that the settings name: send_canary TOKEN
send_canary() {
  local host body=${CANARY_BODY//'{token}'/"$1"} path=${CANARY_PATH//'{token}'/"$1"} request answer status
  host=$(way_in)
  request=$(
    printf '%s %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n%s.' \
      "$CANARY_METHOD" "$path" "${NAMES[0]}" "$CANARY_TYPE" "$(printf '%s' "$body" | wc -c)" "$body"
  )
  answer=$(WEB_HOST=$host ask_web "${request%.}" | head -c 1000000 | tr -d '\0\r' || true)
  status=$(head -n 1 <<<"$answer" | cut -d ' ' -f 2)
  [[ $status == 2?? && $answer == *"$CANARY_MARKER"* ]] ||
    die "$CANARY_METHOD $path by $host: should be answered by a status 2xx (and the text '$CANARY_MARKER'), but is by ${status:-nothing}: see what the app on new logs, or correct changeover:site.canary, and run again. Users are served by new"
}

do_step() {
  local token
  [[ -s $STATE/token ]] || printf 'changeover-%s-%s' "$MOVE" "$(openssl rand -hex 8)" >"$STATE/token"
  token=$(cat "$STATE/token")
  canary_found "$token" || send_canary "$token"
  wait_until 15 "the canary was answered, but its row should be in new's database (if it is not, the app writes elsewhere: see ${ENDPOINT_FILE}; or correct changeover:site.canary.query)" canary_found "$token"
  [[ $CANARY_KEEP == yes ]] || remove_canary "$token"
  result canaryToken "$token"
  result canaryDatabase new
}
