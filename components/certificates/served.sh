# Which certificate a server shows for a name, and what is wrong with it. NAMES, OLD_ADDRESS, CERTIFICATES are set above.
# shellcheck shell=bash

# The digest of the certificates among the lines of stdin.
chain_digest() {
  sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' | sha256sum | cut -c 1-32
}

# What a server shows for a name: digest of the chain, seconds since 1970 until which it is valid, whether it covers the name (yes, no),
# the verdict on its chain by this server's roots (0: good) in number and words, the names in it; nothing where there is no TLS.
served() {
  local answer leaf verdict covers=no
  answer=$(timeout 5 openssl s_client -connect "$1:443" -servername "$2" -showcerts </dev/null 2>/dev/null || true)
  leaf=$(sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p; /-END CERTIFICATE-/q' <<<"$answer")
  [[ -n $leaf ]] || return 0
  verdict=$(sed -nE 's/^ *Verify return code: ([0-9]+) \((.*)\)$/\1\t\2/p' <<<"$answer" | head -n 1)
  [[ $(openssl x509 -noout -checkhost "$2" <<<"$leaf") != *"does match"* ]] || covers=yes
  printf '%s\t%s\t%s\t%s\t%s\n' \
    "$(chain_digest <<<"$answer")" \
    "$(date -d "$(openssl x509 -noout -enddate <<<"$leaf" | cut -d = -f 2)" +%s)" "$covers" "${verdict:-0$'\t'ok}" \
    "$(openssl x509 -noout -ext subjectAltName <<<"$leaf" 2>/dev/null | sed -n 's/^ *DNS://p' | sed 's/, DNS:/ /g')"
}

# What is wrong with a certificate, as `served` tells it, nothing where it is good: certificate_problem LINE.
certificate_problem() {
  local until covers code words names
  IFS=$'\t' read -r _ until covers code words names <<<"$1"
  if [[ -z $1 ]]; then
    printf 'there is none'
  elif ((until <= $(date +%s))); then
    printf 'it ended on %s' "$(date -u -d "@$until" +%F)"
  elif [[ $covers == no ]]; then
    printf 'it is for %s' "${names:-no name}"
  elif [[ $code != 0 ]]; then
    printf 'its chain does not lead to a root that new trusts (%s)' "$words"
  fi
}

# What new shows for every name of the site is good, or just what users get from old.
check_served() {
  local name here there problem
  for name in "${NAMES[@]}"; do
    here=$(served 127.0.0.1 "$name")
    there=$(served "$OLD_ADDRESS" "$name")
    [[ $here != "$there" ]] || continue
    problem=$(certificate_problem "$here")
    [[ -z $problem ]] || die "certificate for $name: should be good on new before users come, but $problem; $(certificate_remedy)"
  done
}

# What to do about a bad certificate on new.
certificate_remedy() {
  if [[ $CERTIFICATES == acme ]]; then
    printf "on new: certbot certificates; or go back to 'idle' and forward again"
  else
    printf "mend it on old, go back to 'idle' and forward again, or set changeover:certificates.from acme"
  fi
}
