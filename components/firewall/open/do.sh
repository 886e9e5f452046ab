# Opens SSH and PostgreSQL on old for new's address alone, where a firewall would keep it out.
# shellcheck shell=bash
do_step() {
  local family table chain ip
  ip=$(ip_of "$NEW_ADDRESS")
  if command -v ufw >/dev/null && ufw status | grep -q '^Status: active'; then
    ufw prepend allow proto tcp from "$ip" to any port "$OLD_PORT,$PGPORT" comment "changeover-$MOVE"
    return
  fi
  input_chains | while read -r family table chain; do
    nft list chain "$family" "$table" "$chain" | grep -q "changeover-$MOVE" && continue
    nft insert rule "$family" "$table" "$chain" "$(address_family "$ip")" saddr "$ip" tcp dport "{ $OLD_PORT, $PGPORT }" accept comment "\"changeover-$MOVE\""
  done
}
