# Every chain that sees incoming packets has the hole.
# shellcheck shell=bash
verify_step() {
  local family table chain
  if command -v ufw >/dev/null && ufw status | grep -q '^Status: active'; then
    ufw status | grep -q "changeover-$MOVE" || die "ufw: should hold a rule named changeover-$MOVE"
    return
  fi
  input_chains | while read -r family table chain; do
    nft list chain "$family" "$table" "$chain" | grep -q "changeover-$MOVE" || die "nftables: chain $family $table $chain should hold a rule named changeover-$MOVE"
  done
}
