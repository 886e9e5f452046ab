# nginx on this server: workers, reload, drain. SIDE is set above; die ends with a reason.
# shellcheck shell=bash

# The process ids of nginx's workers, those that are shutting down included.
nginx_workers() {
  ps -C nginx -o pid=,args= | awk '/worker process/ { print $1 }'
}

# Checks nginx's configuration and reloads it without dropping a request; the workers of before finish what they have begun.
reload_nginx() {
  local problem
  problem=$(nginx -t 2>&1) || die "nginx on $SIDE: its configuration should be valid, but: ${problem%%$'\n'*}. Mend it and run again"
  WORKERS_BEFORE=$(nginx_workers)
  systemctl reload nginx
}

# True when the workers of before the reload have answered their last request.
nginx_drained() {
  local pid
  for pid in $WORKERS_BEFORE; do
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) != nginx ]] || return 1
  done
}

# True when the workers of before the reload take no new connection any more, and others do.
nginx_renewed() {
  local pid
  for pid in $WORKERS_BEFORE; do
    ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q '^nginx: worker process *$' || return 1
  done
}

# Waits some seconds for those workers; long-lived connections (websockets) may outlast it, which is no error.
drain_nginx() {
  local end=$((SECONDS + $1))
  until nginx_drained || ((SECONDS > end)); do sleep 0.02; done
}

# A server's address as it stands in a URL.
url_host() {
  local ip
  ip=$(getent ahosts "$1" | awk 'NR == 1 { print $1 }')
  [[ -n $ip ]] || die "$1 has no IP address here: name the server by its address in the settings"
  if [[ $ip == *:* ]]; then printf '[%s]' "$ip"; else printf '%s' "$ip"; fi
}
