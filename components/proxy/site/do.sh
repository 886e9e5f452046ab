# Installs the site in new's nginx, with room for the maintenance page, and the clients' addresses as old passes them.
# shellcheck shell=bash
# Adds the move's include to every server block of the site's file.
add_include() {
  local file
  file=$(readlink -f -- "$1")
  grep -qF "include $(include_dir)/*.conf;" "$file" && return
  awk -v line="include $(include_dir)/*.conf;" "$INJECT" "$file" | replace_file "$file"
}

do_step() {
  local files
  pull_group includes absent
  pull_group nginx
  files=$(nginx_files)
  [[ -n $files && $files != *$'\n'* ]] || die "nginx: one enabled file on new should serve ${NAMES[*]}, but there are: ${files:-none}"
  make_dir "$(include_dir)"
  if ! grep -rqs '^[^#]*real_ip_header' /etc/nginx; then
    printf 'set_real_ip_from %s;\nreal_ip_header X-Forwarded-For;\n' "$(ip_of "$OLD_ADDRESS")" >"$(include_dir)/real-ip.conf"
  fi
  add_include "$files"
  reload_nginx
}
