# The gate's request for certificates: old serves what new has obtained or renewed, while it passes the site on.
# shellcheck shell=bash

# Where that certificate is, with its key.
passed_certificate() {
  printf '/etc/nginx/changeover/%s-certificate.pem' "$MOVE"
}

# Takes a certificate's chain and its key from stdin. Old's own files stay as they are, and are served again when it passes on no more.
certificate() {
  local pem
  pem=$(passed_certificate)
  find_nginx_file
  [[ $(passing) == yes ]] || refuse "certificate: old serves the site itself, with its own"
  (umask 077 && head -c 100000 >"$pem.new")
  openssl x509 -in "$pem.new" -noout -checkend 0 >/dev/null || refuse "certificate: what new sent is not valid now"
  [[ $(openssl x509 -in "$pem.new" -noout -pubkey) == "$(openssl pkey -in "$pem.new" -pubout)" ]] || refuse "certificate: the key that new sent is another one's"
  [[ ! -e $pem ]] || mv -- "$pem" "$pem.before"
  mv -- "$pem.new" "$pem"
  write_passing
  nginx -t || {
    rm -f -- "$pem"
    [[ ! -e $pem.before ]] || mv -- "$pem.before" "$pem"
    write_passing
    refuse "certificate: old's nginx does not take what new sent"
  }
  rm -f -- "$pem.before"
  reload_nginx
}
