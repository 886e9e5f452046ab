# The firewalls that changeover knows: ufw and nftables. PEER_ADDRESS and PORTS (a list) are set above.
# shellcheck shell=bash

# The nftables base chains that see incoming packets: family, table, chain, one a line.
input_chains() {
  command -v nft >/dev/null || return 0
  nft list ruleset 2>/dev/null | awk -v family_of_peer="$(address_family "$(ip_of "$PEER_ADDRESS")")" '
    $1 == "table" { family = $2; table = $3 }
    $1 == "chain" { chain = $2 }
    /hook input/ && (family == "inet" || family == family_of_peer) { print family, table, chain }'
}

# The kind of address, as nftables and iptables name it.
address_family() {
  if [[ $1 == *:* ]]; then printf 'ip6'; else printf 'ip'; fi
}

# The ports, with commas between.
port_list() {
  local IFS=,
  printf '%s' "${PORTS[*]}"
}

# Closes the hole again.
close_hole() {
  local family table chain handle
  if command -v ufw >/dev/null && ufw status | grep -q "changeover-$MOVE"; then
    ufw delete allow proto tcp from "$(ip_of "$PEER_ADDRESS")" to any port "$(port_list)"
  fi
  input_chains | while read -r family table chain; do
    nft -a list chain "$family" "$table" "$chain" | sed -n "/comment \"changeover-$MOVE\"/s/.*# handle //p" | while read -r handle; do
      nft delete rule "$family" "$table" "$chain" handle "$handle"
    done
  done
}
