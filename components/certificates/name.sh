# An nginx configuration that names another certificate.
# shellcheck shell=bash

# Prints the configuration of stdin with other files for the certificate, its key and its chain: with_certificate FILE KEY CHAIN.
with_certificate() {
  local before='(^|[;{[:space:]])' value='[[:space:]]+[^;]+;'
  sed -E "/^[[:space:]]*#/! {
    s#${before}ssl_certificate${value}#\\1ssl_certificate $1;#g
    s#${before}ssl_certificate_key${value}#\\1ssl_certificate_key $2;#g
    s#${before}ssl_trusted_certificate${value}#\\1ssl_trusted_certificate $3;#g
  }"
}
