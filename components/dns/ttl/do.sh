# Lowers the TTL of the site's records, and notes what they were and from when on the old TTL has run out.
# shellcheck shell=bash
do_step() {
  [[ -e $BEFORE ]] || {
    all_records >"$BEFORE.part"
    [[ -s $BEFORE.part ]] || die "$DNS_SERVER, zone $DNS_ZONE: should have A, AAAA or CNAME records of ${DNS_NAMES[*]}, but has none"
    mv -- "$BEFORE.part" "$BEFORE"
  }
  change_records data_before ttl_of_move
  note_until "$(cut -f 3 "$BEFORE" | sort -n | tail -n 1)"
}
