# Asks the site's own nginx on this server, from inside. NAMES, CHECK_PATHS, CHECK_MARKERS, CHECK_STATUS are set above.
# shellcheck shell=bash

# Prints the whole answer to a GET of a path, by TLS where port 443 answers.
get_page() {
  local request
  request=$(printf 'GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n.' "$1" "${NAMES[0]}")
  if (exec 4<>/dev/tcp/127.0.0.1/443) 2>/dev/null; then
    printf '%s' "${request%.}" | timeout 10 openssl s_client -quiet -verify_quiet -connect 127.0.0.1:443 -servername "${NAMES[0]}" 2>/dev/null
  else
    # shellcheck disable=SC2016 # expands in the other bash
    timeout 10 bash -c 'exec 4<>/dev/tcp/127.0.0.1/80; printf %s "$1" >&4; cat <&4' ask "${request%.}"
  fi
}

# True when one check passes; says what it saw in the log.
check_passes() {
  local answer status
  answer=$(get_page "${CHECK_PATHS[$1]}" | tr -d '\0' || true)
  status=$(head -n 1 <<<"$answer" | cut -d ' ' -f 2)
  printf '%s answers %s\n' "${CHECK_PATHS[$1]}" "${status:-nothing}"
  [[ $status == "${CHECK_STATUS[$1]}" && $answer == *"${CHECK_MARKERS[$1]}"* ]]
}

# Waits until every check passes.
check_site() {
  local index
  for index in "${!CHECK_PATHS[@]}"; do
    wait_until 60 "the site on $SIDE should answer ${CHECK_PATHS[$index]} with ${CHECK_STATUS[$index]} and the text '${CHECK_MARKERS[$index]}'" check_passes "$index"
  done
}

# Starts units and waits until they are active.
start_units() {
  local unit
  for unit in "$@"; do
    # To enable a unit again would reload every other one.
    systemctl is-enabled --quiet -- "$unit" || systemctl enable -- "$unit"
    systemctl start -- "$unit" || die "$unit: should start on $SIDE, but did not; see journalctl -u $unit"
  done
}

# Stops units for good.
stop_units() {
  local unit
  for unit in "$@"; do
    systemctl disable --now -- "$unit"
  done
}
