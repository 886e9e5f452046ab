# nginx on this server: workers, reload, drain. SIDE is set above; die ends with a reason.
# shellcheck shell=bash

# The process ids of the workers of nginx's unit, those that are shutting down included; what containers run is not counted.
nginx_workers() {
  ps -C nginx -o pid=,unit:99=,args= |
    awk -v unit="$(systemctl show --property=Id --value nginx)" '$2 == unit && /worker process/ { print $1 }'
}

# Checks nginx's configuration and has it loaded; the workers of before finish what they have begun.
request_reload() {
  local problem
  problem=$(nginx -t 2>&1) || die "nginx on $SIDE: its configuration should be valid, but: ${problem%%$'\n'*}. Mend it and run again"
  WORKERS_BEFORE=$(nginx_workers)
  systemctl reload nginx
}

# The same, and waits until it counts: nginx reads its files after it was told to, and takes requests as before until then.
reload_nginx() {
  request_reload
  await_reload || die "nginx on $SIDE did not start new workers within 20 seconds$(busy): see /var/log/nginx/error.log, mend it and run again"
}

# Waits until the reload that was requested counts, at most 20 seconds.
await_reload() {
  local end=$((SECONDS + 20))
  until nginx_renewed; do
    ((SECONDS < end)) || return 1
    sleep 0.02
  done
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

# The workers that a reload has started.
nginx_workers_since() {
  nginx_workers | grep -vxF "$WORKERS_BEFORE" || true
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
