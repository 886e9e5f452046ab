# The maintenance page on new. PAGE (HTML) and RETRY_AFTER (seconds) are set above.
# shellcheck shell=bash

# What nginx includes while the page is shown: 503 with Retry-After for everybody but this server itself.
page_conf() {
  cat <<NGINX
set \$changeover_closed 1;
if (\$remote_addr = 127.0.0.1) {
  set \$changeover_closed 0;
}
if (\$changeover_closed) {
  return 503;
}
error_page 503 @changeover_maintenance;
location @changeover_maintenance {
  root $(include_dir);
  default_type text/html;
  charset utf-8;
  add_header Retry-After $RETRY_AFTER always;
  add_header Cache-Control no-store always;
  try_files /maintenance.html =503;
}
NGINX
}

# Shows the page to every user.
page_on() {
  printf '%s' "$PAGE" | replace_file "$(include_dir)/maintenance.html"
  page_conf | replace_file "$(include_dir)/maintenance.conf"
  reload_nginx
  drain_nginx 2
}

# Takes the page away.
page_off() {
  rm -f "$(include_dir)/maintenance.conf" "$(include_dir)/maintenance.html"
  reload_nginx
}
