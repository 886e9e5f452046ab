# Holds users' new connections back while an Elastic IP goes over, and lets the open ones end: prints `held` and how many have not ended
# after DRAIN seconds. What is held tries again by itself, and comes to the other server then. By stdin comes a line every second; the
# hold ends with `release`, with the last line, when none comes for PATIENCE seconds, and, whatever becomes of this, after LONGEST seconds
# in the kernel. PORTS, DRAIN, PATIENCE and LONGEST are set above.
# shellcheck shell=bash

readonly TABLE="inet changeover_hold"

# Users' connections that are open.
open_connections() {
  local port which=""
  for port in "${PORTS[@]}"; do which+="${which:+ or }sport = :$port"; done
  ss --no-header --tcp --numeric state established "( $which ) and not dst 127.0.0.0/8 and not dst [::1]" | wc -l
}

# Lets everything through again.
let_through() {
  nft delete table "$TABLE" 2>/dev/null || true
}

# Drops the first packet of each new connection.
hold_back() {
  local port ports=""
  for port in "${PORTS[@]}"; do ports+="${ports:+, }$port timeout ${LONGEST}s"; done
  let_through
  nft --file - <<EOF
table $TABLE {
  set ports { type inet_service; flags timeout; elements = { $ports }; }
  chain input {
    type filter hook input priority -10;
    iif lo accept
    tcp flags & (syn | ack) == syn tcp dport @ports drop
  }
}
EOF
}

# Waits until no connection is open; nginx closes those that only wait for a next request.
drain() {
  local end=$((${EPOCHREALTIME/[.,]/} + DRAIN * 1000000))
  ! systemctl is-active --quiet nginx || systemctl reload nginx || true
  until (($(open_connections) == 0 || ${EPOCHREALTIME/[.,]/} > end)); do sleep 0.02; done
}

hold() {
  local line
  command -v nft ss >/dev/null || {
    printf 'nft and ss are not both there\n' >&2
    exit 1
  }
  trap let_through EXIT
  trap 'exit 1' HUP INT TERM
  hold_back
  drain
  printf 'held %s\n' "$(open_connections)"
  while read -r -t "$PATIENCE" line && [[ $line != release ]]; do :; done
  # stdin may be open still, and be read as commands.
  exit 0
}
