# The maintenance page on new. PAGE (HTML) and RETRY_AFTER (seconds) are set above.
# shellcheck shell=bash

# What nginx includes while the page is shown: 503 with Retry-After for everybody but this server itself, whatever the method.
page_conf() {
  cat <<NGINX
set \$changeover_closed 1;
if (\$remote_addr = 127.0.0.1) {
  set \$changeover_closed 0;
}
if (\$uri = /changeover-maintenance.html) {
  set \$changeover_closed 0;
}
if (\$changeover_closed) {
  return 503;
}
error_page 503 /changeover-maintenance.html;
location = /changeover-maintenance.html {
  internal;
  root $(include_dir);
  default_type text/html;
  charset utf-8;
  add_header Retry-After $RETRY_AFTER always;
  add_header Cache-Control no-store always;
}
NGINX
}

# Shows the page to every user.
page_on() {
  printf '%s' "$PAGE" | replace_file "$(include_dir)/changeover-maintenance.html"
  page_conf | replace_file "$(include_dir)/maintenance.conf"
  reload_nginx
  drain_nginx 2
}

# Takes the page away; the text stays until nobody reads it any more.
page_off() {
  rm -f "$(include_dir)/maintenance.conf"
  reload_nginx
  drain_nginx 2
  rm -f "$(include_dir)/changeover-maintenance.html"
}
