# Private keys on new are nobody else's to read.
# shellcheck shell=bash
verify_step() {
  local member
  while IFS= read -r -d '' member; do
    [[ -L /$member || -d /$member || $(stat -c %a "/$member") != *[4567] || $(head -c 200 "/$member") != *"PRIVATE KEY"* ]] ||
      die "/$member: a private key should not be readable by everybody, on old neither: chmod 600 it there"
  done <"$STATE/pulled.certificates"
}
