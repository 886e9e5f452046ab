#!/usr/bin/env bash
# What a careful person does by hand on the new server in place of changeover's database phase: page, stop, pg_dump | psql,
# ANALYZE, point the app at the copy, start, page off. `move` does it; `back` undoes it for the next run. PAGE_TEXT is the page's.
set -Eeuo pipefail

readonly site=/etc/nginx/changeover/shop
readonly settings=/etc/shop/shop.env
readonly -a units=(shop-web.service shop-live.service shop-worker.service)
readonly kept=/root/by-hand

# Shows the maintenance page to everybody but this server, in the site's own server blocks.
page_on() {
  printf '<!doctype html><title>Back soon</title><p>%s</p>\n' "$PAGE_TEXT" >"$site/by-hand.html"
  cat >"$site/by-hand.conf" <<'NGINX'
set $closed 1;
if ($remote_addr = 127.0.0.1) { set $closed 0; }
if ($uri = /by-hand.html) { set $closed 0; }
if ($closed) { return 503; }
error_page 503 /by-hand.html;
location = /by-hand.html {
  internal;
  root /etc/nginx/changeover/shop;
  default_type text/html;
  add_header Retry-After 30 always;
}
NGINX
  nginx -tq
  systemctl reload nginx.service
}

# Takes the page away.
page_off() {
  rm -f "$site/by-hand.conf" "$site/by-hand.html"
  systemctl reload nginx.service
}

# Stops all that writes: the app, its jobs and its cron entries.
stop_app() {
  systemctl stop cron.service "${units[@]}"
}

# Starts them and waits until the app answers.
start_app() {
  systemctl start cron.service "${units[@]}"
  local end=$((SECONDS + 60))
  until answers; do
    ((SECONDS < end)) || exit 1
    sleep 0.1
  done
}

# Whether the app says that it is well.
answers() {
  (
    exec 3<>/dev/tcp/127.0.0.1/8000 &&
      printf 'GET /health HTTP/1.0\r\n\r\n' >&3 &&
      head -n 1 <&3 | grep -q ' 200 '
  ) 2>/dev/null
}

# Old's database through a pipe into new's, with owners and grants; the roles are here already.
copy_database() {
  local url
  url=$(sed -n 's/^DATABASE_URL=//p' "$settings")
  pg_dump --create "$url?sslmode=require" | runuser -u postgres -- psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 postgres >/dev/null
  runuser -u postgres -- vacuumdb --quiet --analyze-only --dbname=shop
}

# The whole of it.
move() {
  install -m 600 "$settings" "$kept"
  page_on
  stop_app
  copy_database
  sed -i "s/@[0-9.]*:5432/@127.0.0.1:5432/" "$settings"
  start_app
  page_off
}

# As it was before, for the next run.
back() {
  systemctl stop "${units[@]}"
  cat "$kept" >"$settings"
  start_app
  runuser -u postgres -- dropdb --force shop
}

cd /
case $1 in
  move | back) "$1" ;;
  *) exit 2 ;;
esac
