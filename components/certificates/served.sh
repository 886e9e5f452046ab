# Which certificate a server shows for a name, and what is wrong with it. NAMES, OLD_ADDRESS, CERTIFICATES are set above.
# shellcheck shell=bash

# The digest of the certificates among the lines of stdin.
chain_digest() {
  sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p' | sha256sum | cut -c 1-32
}

# What a server shows for a name: digest of the chain, seconds since 1970 until which it is valid, whether it covers the name (yes, no),
# the verdict on its chain by this server's roots (0: good) in number and words, the names in it; nothing where there is no TLS. Where
# that could not be found out it fails, and prints what was tried instead.
served() {
  local answer leaf verdict said='' covers=no began=$SECONDS limit=${SERVED_LIMIT:-10}
  while :; do
    answer=$(ask_tls "$@" "$((limit - SECONDS + began))" 2>/dev/null || true)
    # Printed when all of the chain has come.
    [[ $answer != *"Verify return code"* || $answer != *"-END CERTIFICATE-"* ]] || break
    ((SECONDS - began < limit)) || break
    said=$(ask_tls "$@" "$((limit - SECONDS + began))" 2>&1 >/dev/null | grep -v '^depth=\|^verify ' | tail -n 1 || true)
    # Nobody listens there, or no TLS is spoken: an answer, too.
    [[ ! ${said,,} =~ refused|errno=111|wrong.version.number|packet.length|http.request|unrecognized.name|handshake.failure|record.layer.failure ]] || return 0
    ((SECONDS - began < limit)) || break
    sleep 0.5
  done
  leaf=$(sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p; /-END CERTIFICATE-/q' <<<"$answer")
  if [[ $answer != *"Verify return code"* || $leaf != *"-END CERTIFICATE-"* ]]; then
    printf '%s:443 did not show all of its certificate by TLS within %s s%s' "$1" "$((SECONDS - began))" "${said:+ (openssl s_client said last: ${said:0:150})}$(busy)"
    return 3
  fi
  verdict=$(sed -nE 's/^ *Verify return code: ([0-9]+) \((.*)\)$/\1\t\2/p' <<<"$answer" | head -n 1)
  [[ $(openssl x509 -noout -checkhost "$2" <<<"$leaf") != *"does match"* ]] || covers=yes
  printf '%s\t%s\t%s\t%s\t%s\n' \
    "$(chain_digest <<<"$answer")" \
    "$(date -d "$(openssl x509 -noout -enddate <<<"$leaf" | cut -d = -f 2)" +%s)" "$covers" "${verdict:-0$'\t'ok}" \
    "$(openssl x509 -noout -ext subjectAltName <<<"$leaf" 2>/dev/null | sed -n 's/^ *DNS://p' | sed 's/, DNS:/ /g')"
}

# One question by TLS: ask_tls HOST NAME SECONDS
ask_tls() {
  timeout "$(($3 > 0 ? $3 : 1))" openssl s_client -connect "$1:443" -servername "$2" -showcerts </dev/null
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
  local name here there problem unknown
  for name in "${NAMES[@]}"; do
    unknown=''
    here=$(served 127.0.0.1 "$name") || undecided "certificate for $name: what new shows could not be found out: $here; see what loads new, and run again"
    there=$(served "$OLD_ADDRESS" "$name") || unknown=$there
    [[ $here != "$there" ]] || continue
    problem=$(certificate_problem "$here")
    [[ -z $problem || -z $unknown ]] ||
      undecided "certificate for $name: on new $problem, and whether users get the same from old could not be found out: $unknown; run again"
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
