# Asks the site's own nginx on this server, from inside, or where WEB_HOST says. NAMES, CHECK_PATHS, CHECK_MARKERS, CHECK_STATUS are set above.
# shellcheck shell=bash

# Prints the whole answer to a request, by TLS where port 443 answers. Ends with timeout's own 124 or 137 where it did not all come in time.
ask_web() {
  local host=${WEB_HOST:-127.0.0.1} limit=${PAGE_TIMEOUT:-10} status=0
  # shellcheck disable=SC2016 # expands in the other bash
  timeout "$limit" bash -c 'exec 4<>"/dev/tcp/$1/443"' ask "${host//[][]/}" 2>/dev/null || status=$?
  # That it is slow does not mean that there is no TLS.
  ((status != 124 && status != 137)) || return "$status"
  if ((status == 0)); then
    printf '%s' "$1" | timeout "$limit" openssl s_client -quiet -verify_quiet -connect "$host:443" -servername "${NAMES[0]}" 2>/dev/null
  else
    # shellcheck disable=SC2016 # expands in the other bash
    timeout "$limit" bash -c 'exec 4<>"/dev/tcp/$2/80"; printf %s "$1" >&4; cat <&4' ask "$1" "${host//[][]/}"
  fi
}

# Prints the whole answer to a GET of a path.
get_page() {
  local request
  request=$(printf 'GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n.' "$1" "${NAMES[0]}")
  ask_web "${request%.}"
}

# True when one check passes; says what it saw in the log. Ends with 3 where no answer came in time: then nobody knows. A server that
# refuses, or closes without a word, is not mute: it does not serve the page.
check_passes() {
  local answer status ended=0
  answer=$(get_page "${CHECK_PATHS[$1]}" | tr -d '\0') || ended=$?
  status=$(head -n 1 <<<"$answer" | cut -d ' ' -f 2)
  if [[ -z $status ]] && ((ended == 124 || ended == 137)); then
    printf '%s gave no answer within %s s\n' "${CHECK_PATHS[$1]}" "${PAGE_TIMEOUT:-10}"
    return 3
  fi
  status=${status:-nothing}
  printf '%s answers %s\n' "${CHECK_PATHS[$1]}" "$status"
  [[ $status == "${CHECK_STATUS[$1]}" && $answer == *"${CHECK_MARKERS[$1]}"* ]]
}

# Waits until every check passes.
check_site() {
  local index
  for index in "${!CHECK_PATHS[@]}"; do
    wait_until 60 "the site on $SIDE should answer ${CHECK_PATHS[$index]} with ${CHECK_STATUS[$index]} and the text '${CHECK_MARKERS[$index]}'" check_passes "$index"
  done
}
