# The site's records at the primary of its zone, asked by dig and changed by nsupdate (RFC 2136, signed by TSIG). DNS_SERVER, DNS_PORT,
# DNS_ZONE, DNS_NAMES, DNS_TTL, DNS_NEW (addresses), DNS_KEY_NAME, DNS_KEY_ALGORITHM and DNS_KEY are set above.
# shellcheck shell=bash

# What was there before the move, one record a line: name, type, TTL, data.
readonly BEFORE=$ROOT/dns-ttl/records

# The types that lead to a server. A CNAME is left where it leads.
readonly -a LEADING=(A AAAA CNAME)

# What the primary has of a name and a type, TTL and data, sorted: records_of NAME TYPE
records_of() {
  local answer
  answer=$(dig @"$DNS_SERVER" -p "$DNS_PORT" +norecurse +time=3 +tries=3 +noall +comments +answer "$1" "$2") ||
    die "$DNS_SERVER, DNS: should answer for $1, but does not: $(tail -n 1 <<<"$answer" | cut -c 1-150)"
  [[ $answer =~ status:\ (NOERROR|NXDOMAIN) ]] ||
    die "$DNS_SERVER, DNS: should answer for $1, but says $(sed -n 's/.*status: \([A-Z]*\).*/\1/p' <<<"$answer"): is it the primary of $DNS_ZONE?"
  # A name that is an alias is answered by its CNAME and what that leads to, whatever was asked.
  awk -v name="$1." -v type="$2" '/^[^;]/ && tolower($1) == name && $4 == type { ttl = $2; $1 = $2 = $3 = $4 = ""; sub(/^ +/, ""); print ttl "\t" tolower($0) }' <<<"$answer" | sort
}

# All that the primary has of the site's names, in the form of BEFORE.
all_records() {
  local name type
  for name in "${DNS_NAMES[@]}"; do
    for type in "${LEADING[@]}"; do
      records_of "$name" "$type" | sed "s/^/$name\t$type\t/"
    done
  done
}

# The data of a name and a type before the move, sorted: data_before NAME TYPE
data_before() {
  awk -F '\t' -v name="$1" -v type="$2" '$1 == name && $2 == type { print $4 }' "$BEFORE" | sort
}

# A name and type's TTL before the move; that of its other type where it had none of this one: ttl_before NAME TYPE
ttl_before() {
  awk -F '\t' -v name="$1" -v type="$2" '$1 == name { any = $3 } $1 == name && $2 == type { print $3; found = 1; exit } END { if (!found) print any }' "$BEFORE"
}

# Where a name is to lead when new serves, sorted; nothing where new has no address of that type: data_of_new NAME TYPE
data_of_new() {
  local address
  if [[ $2 == CNAME ]]; then
    data_before "$1" CNAME
    return
  fi
  [[ -n $(data_before "$1" A)$(data_before "$1" AAAA) ]] || return 0
  for address in "${DNS_NEW[@]}"; do
    if [[ $address == *:* ]]; then [[ $2 != AAAA ]] || printf '%s\n' "$address"; else [[ $2 != A ]] || printf '%s\n' "$address"; fi
  done | sort
}

# The lines of an update that make a name and type's records what stdin says, if they are as they were found: set_records NAME TYPE TTL FOUND
set_records() {
  local data
  if [[ -n $4 ]]; then
    while IFS= read -r data; do printf 'prereq yxrrset %s. %s %s\n' "$1" "$2" "$data"; done <<<"$4"
  else
    printf 'prereq nxrrset %s. %s\n' "$1" "$2"
  fi
  printf 'update delete %s. %s\n' "$1" "$2"
  while IFS= read -r data; do printf 'update add %s. %s %s %s\n' "$1" "$3" "$2" "$data"; done
}

# Makes every record what two functions say of its name and type: all in one update, which happens as a whole or not at all.
# change_records DATA_OF TTL_OF
change_records() {
  local name type now wanted ttl lines=
  for name in "${DNS_NAMES[@]}"; do
    for type in "${LEADING[@]}"; do
      now=$(records_of "$name" "$type")
      wanted=$("$1" "$name" "$type")
      ttl=$("$2" "$name" "$type")
      # The same data with the same TTL on each.
      [[ ${wanted:+$ttl$'\t'${wanted//$'\n'/$'\n'$ttl$'\t'}} != "$now" ]] || continue
      lines+=$(set_records "$name" "$type" "$ttl" "$(cut -f 2 <<<"$now")" <<<"$wanted" | grep -v ' $')$'\n'
    done
  done
  [[ -n $lines ]] || return 0
  update <<<"$lines"
}

# Sends an update; the key is in a file that only root reads, for as long as it takes.
update() {
  local key=$STATE/key said
  (umask 077 && printf 'key "%s" { algorithm %s; secret "%s"; };\n' "$DNS_KEY_NAME" "$DNS_KEY_ALGORITHM" "$DNS_KEY" >"$key")
  said=$({
    printf 'server %s %s\nzone %s.\n' "$DNS_SERVER" "$DNS_PORT" "$DNS_ZONE"
    cat
    printf 'send\n'
  } | nsupdate -k "$key" -t 20 2>&1) || {
    rm -f "$key"
    refuse_update "$said"
  }
  rm -f "$key"
}

# Says why the primary did not take an update.
refuse_update() {
  case $1 in
    *NOTAUTH* | *BADKEY* | *BADSIG* | *"tsig"* | *TSIG*) die "$DNS_SERVER, zone $DNS_ZONE: should know the key $DNS_KEY_NAME, but says: $1. Compare name, algorithm and secret of changeover:dns.key with the server's" ;;
    *REFUSED*) die "$DNS_SERVER, zone $DNS_ZONE: should let the key $DNS_KEY_NAME change A, AAAA and CNAME of ${DNS_NAMES[*]}, but refuses: see its update-policy" ;;
    *XRRSET* | *XDOMAIN*) die "$DNS_SERVER, zone $DNS_ZONE: somebody else has changed the records of ${DNS_NAMES[*]} just now, or one is there by a wildcard alone (then name that one in changeover:dns.names): look at them, and run 'pulumi up' again" ;;
    *) die "$DNS_SERVER, zone $DNS_ZONE: the update was not taken: ${1:-no answer within 20 seconds$(busy)}" ;;
  esac
}

# The primary serves the data that a function says: check_records DATA_OF
check_records() {
  local name type wanted
  for name in "${DNS_NAMES[@]}"; do
    for type in "${LEADING[@]}"; do
      wanted=$("$1" "$name" "$type")
      [[ $(records_of "$name" "$type" | cut -f 2) == "$wanted" ]] ||
        die "$DNS_SERVER, $name $type: should be ${wanted//$'\n'/, }, but is $(records_of "$name" "$type" | cut -f 2 | paste -sd ' ')"
    done
  done
}

# The TTL during the move: lower, never higher than it was.
ttl_of_move() {
  local before
  before=$(ttl_before "$1" "$2")
  printf '%s' "$((${before:-$DNS_TTL} < DNS_TTL ? before : DNS_TTL))"
}
