# Why certbot has failed.
# shellcheck shell=bash

# In short, with what to do, from what certbot has said (stdin): the first of the names that the ACME server complains of.
certbot_problem() {
  local text said type
  text=$(sed -E 's| *"?https?://[^" ]*"?:?||')
  said=$(awk '$1 == "Domain:" { name = $2 } $1 == "Type:" { type = $2 } $1 == "Detail:" { sub(/^ *Detail: */, ""); print type "\t" name ": " $0; exit }' <<<"$text")
  type=${said%%$'\t'*}
  said=${said#*$'\t'}
  [[ -n $said ]] || said=$(grep -A 1 -F 'unexpected error occurred' <<<"$text" | sed -n 2p || true)
  [[ -n $said ]] || said=$(grep -v '^ *$' <<<"$text" | tail -n 1 || true)
  printf 'certificate: certbot should obtain one, but says: %s. %s' "${said:0:150}" "$(remedy_for "${type:-$said}")"
}

# What to do about a kind of failure.
remedy_for() {
  case $1 in
    caa) printf "Allow this CA in the zone's CAA record" ;;
    dns | connection | unauthorized) printf "The name's A and AAAA records have to lead to old, with port 80 open" ;;
    *rate*imit* | *"too many"*) printf 'Wait as long as it says, or set changeover:certificates.from copy' ;;
    *) printf 'See the log, or set changeover:certificates.from copy' ;;
  esac
}
