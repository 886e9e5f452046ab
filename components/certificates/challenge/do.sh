# Adds an include to every server block of the site: an ACME server's questions go to new.
# shellcheck shell=bash
# What is added to the site's file.
include_line() {
  printf 'include /etc/nginx/changeover/%s-acme.conf;' "$MOVE"
}

do_step() {
  local file
  file=$(nginx_files)
  [[ -n $file && $file != *$'\n'* ]] || die "nginx: one enabled file on old should serve ${NAMES[*]}, but there are: ${file:-none}"
  file=$(readlink -f -- "$file")
  keep file printf '%s' "$file"
  make_dir /etc/nginx/changeover
  printf '%s' "${PASS_CHALLENGES//OTHER/$(url_host "$NEW_ADDRESS")}" | replace_file "/etc/nginx/changeover/$MOVE-acme.conf"
  grep -qF "$(include_line)" "$file" || awk -v line="$(include_line)" "$INJECT" "$file" | replace_file "$file"
  reload_nginx
}
