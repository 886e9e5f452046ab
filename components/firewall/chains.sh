# The firewalls that changeover knows: ufw and nftables. NEW_ADDRESS, OLD_PORT, PGPORT are set above.
# shellcheck shell=bash

# The nftables base chains that see incoming packets: family, table, chain, one a line.
input_chains() {
  command -v nft >/dev/null || return 0
  nft list ruleset 2>/dev/null | awk -v family_of_new="$(address_family "$(ip_of "$NEW_ADDRESS")")" '
    $1 == "table" { family = $2; table = $3 }
    $1 == "chain" { chain = $2 }
    /hook input/ && (family == "inet" || family == family_of_new) { print family, table, chain }'
}

# The kind of address, as nftables and iptables name it.
address_family() {
  if [[ $1 == *:* ]]; then printf 'ip6'; else printf 'ip'; fi
}

# Closes the hole again.
close_hole() {
  local family table chain handle
  if command -v ufw >/dev/null && ufw status | grep -q "changeover-$MOVE"; then
    ufw delete allow proto tcp from "$(ip_of "$NEW_ADDRESS")" to any port "$OLD_PORT,$PGPORT"
  fi
  input_chains | while read -r family table chain; do
    nft -a list chain "$family" "$table" "$chain" | sed -n "/comment \"changeover-$MOVE\"/s/.*# handle //p" | while read -r handle; do
      nft delete rule "$family" "$table" "$chain" handle "$handle"
    done
  done
}
