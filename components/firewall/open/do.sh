# Opens some ports for the other server's address alone, where a firewall would keep it out.
# shellcheck shell=bash
do_step() {
  local family table chain ip
  ip=$(ip_of "$PEER_ADDRESS")
  if command -v ufw >/dev/null && ufw status | grep -q '^Status: active'; then
    ufw prepend allow proto tcp from "$ip" to any port "$(port_list)" comment "changeover-$MOVE"
    return
  fi
  input_chains | while read -r family table chain; do
    nft list chain "$family" "$table" "$chain" | grep -q "changeover-$MOVE" && continue
    nft insert rule "$family" "$table" "$chain" "$(address_family "$ip")" saddr "$ip" tcp dport "{ $(port_list) }" accept comment "\"changeover-$MOVE\""
  done
}
