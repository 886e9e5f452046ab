# Every user and group of the site is known here.
# shellcheck shell=bash
verify_step() {
  local kind line
  while IFS=: read -r kind line; do
    [[ $kind != group ]] || getent group -- "${line%%:*}" >/dev/null || die "group ${line%%:*} should be known on new"
    [[ $kind != passwd ]] || getent passwd -- "${line%%:*}" >/dev/null || die "user ${line%%:*} should be known on new"
  done <"$STATE/accounts"
}
