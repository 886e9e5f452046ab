#!/usr/bin/env bash
# Installs the demo site on this server, from the folder this script is in. Every part can run twice.
set -Eeuo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/settings"

# as_postgres COMMAND ARG...: runs a command as the database's administrator.
as_postgres() {
  runuser -u postgres -- "$@"
}

# as_shop COMMAND ARG...: runs a command as the site's user.
as_shop() {
  runuser -u shop -- env HOME=/srv/shop "$@"
}

# add_user: creates the site's user and its folders.
add_user() {
  id shop >/dev/null 2>&1 || useradd --system --user-group --home-dir /srv/shop --shell /bin/bash shop
  install -d -o shop -g shop /srv/shop /srv/shop/app /srv/shop/uploads /srv/git /var/log/shop
  install -d -m 0750 -o root -g shop /etc/shop
}

# current_password: prints the password of the last run, or a new one.
current_password() {
  local url
  if url=$(grep -s '^DATABASE_URL=' /etc/shop/shop.env); then
    url=${url#*://shop:}
    python3 -c 'import sys, urllib.parse; print(urllib.parse.unquote(sys.argv[1]))' "${url%@*}"
  else
    openssl rand -hex 20
  fi
}

# write_settings: puts the database's address into the site's settings; sets SHOP_PASSWORD.
write_settings() {
  local encoded
  SHOP_PASSWORD=${DEMO_DB_PASSWORD:-$(current_password)}
  export SHOP_PASSWORD
  encoded=$(python3 -c 'import os, urllib.parse; print(urllib.parse.quote(os.environ["SHOP_PASSWORD"], safe=""))')
  (
    umask 0077
    printf 'DATABASE_URL=postgresql://shop:%s@127.0.0.1:5432/shop\n' "$encoded" >/etc/shop/shop.env
  )
  chown root:shop /etc/shop/shop.env
  chmod 0640 /etc/shop/shop.env
}

# add_files: copies what lies under /etc, with the modes their readers insist on.
add_files() {
  (cd "$here/files" && find . -type f -exec install -D -m 0644 {} /{} \;)
  chmod 0440 /etc/sudoers.d/shop
  crontab -u shop "$here/crontab"
}

# add_certificate: lays the certificate out as certbot does.
add_certificate() {
  local archive=/etc/letsencrypt/archive/shop.example.org live=/etc/letsencrypt/live/shop.example.org part
  install -d -m 0700 /etc/letsencrypt/archive /etc/letsencrypt/live
  install -d "$archive" "$live"
  for part in cert chain fullchain privkey; do
    install -m 0644 "$here/certificate/$part.pem" "$archive/${part}1.pem"
    ln -sfn "../../archive/shop.example.org/${part}1.pem" "$live/$part.pem"
  done
  chmod 0600 "$archive/privkey1.pem"
}

# add_code: puts the app in place and commits it to the deploy repository.
add_code() {
  local -x GIT_DIR=/srv/git/shop.git GIT_WORK_TREE=/srv/shop/app
  local -x GIT_AUTHOR_NAME=Shop GIT_AUTHOR_EMAIL=shop@example.org GIT_AUTHOR_DATE="2024-01-01T00:00:00Z"
  local -x GIT_COMMITTER_NAME=Shop GIT_COMMITTER_EMAIL=shop@example.org GIT_COMMITTER_DATE="2024-01-01T00:00:00Z"
  install -o shop -g shop -m 0644 "$here"/app/*.py /srv/shop/app/
  cd /srv/shop
  [[ -d $GIT_DIR ]] || as_shop env -u GIT_WORK_TREE git init --quiet --bare --initial-branch=main "$GIT_DIR"
  install -o shop -g shop -m 0755 "$here/post-receive" "$GIT_DIR/hooks/post-receive"
  as_shop git add --all
  as_shop git diff --cached --quiet HEAD -- 2>/dev/null || as_shop git commit --quiet --message "The Example Shop"
  cd /
}

# add_uploads: fills the uploads, odd names and kinds of files among them.
add_uploads() {
  local number name
  cd /srv/shop/uploads
  for ((number = 1; number <= DEMO_UPLOADS; number++)); do
    printf -v name 'photo-%05d.txt' "$number"
    [[ -e $name ]] || printf 'photo %d\n' "$number" >"$name"
  done
  for name in 'summer sale.txt' $'it\'s "new".txt' 'Größe – 尺寸.txt' '-dash.txt' 'percent %20 + plus.txt' private.txt; do
    printf '%s\n' "$name" >"./$name"
  done
  chmod 0604 private.txt
  ln -sfn 'summer sale.txt' latest.txt
  [[ 'hard link.txt' -ef private.txt ]] || ln -f private.txt 'hard link.txt'
  chown -hR shop:shop .
  cd /
}

# configure_postgres: lets PostgreSQL listen on the network, with TLS; restarts it only when that is new.
configure_postgres() {
  local folder
  folder=$(dirname "$(as_postgres psql -XAtc 'SHOW config_file')")
  [[ -e $folder/conf.d/shop.conf ]] && return
  install -d -o postgres -g postgres "$folder/conf.d"
  printf "listen_addresses = '*'\n" >"$folder/conf.d/shop.conf"
  [[ $(as_postgres psql -XAtc 'SHOW ssl') == on ]] || add_postgres_certificate "$folder"
  systemctl restart "postgresql@$(basename "$(dirname "$folder")")-main.service"
}

# add_postgres_certificate FOLDER: switches TLS on with a self-signed certificate.
add_postgres_certificate() {
  local folder=$1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$(hostname)" \
    -keyout "$folder/server.key" -out "$folder/server.crt" 2>/dev/null
  chown postgres:postgres "$folder/server.key" "$folder/server.crt"
  chmod 0600 "$folder/server.key"
  printf "ssl = on\nssl_cert_file = '%s'\nssl_key_file = '%s'\n" "$folder/server.crt" "$folder/server.key" \
    >>"$folder/conf.d/shop.conf"
}

# fill_database: creates the roles, the database, its tables and rows.
fill_database() {
  as_postgres psql -Xq -f - <"$here/database/roles.sql"
  as_postgres psql -Xq -v "rows=$DEMO_ROWS" -d shop -f - <"$here/database/schema.sql"
}

# start_site: enables and (re)starts what serves the site.
start_site() {
  ln -sfn ../sites-available/shop /etc/nginx/sites-enabled/shop
  nginx -tq
  systemctl daemon-reload
  systemctl enable --quiet shop-web.service shop-live.service shop-worker.service
  systemctl restart shop-web.service shop-live.service shop-worker.service
  systemctl reload-or-restart nginx.service
}

main() {
  add_user
  write_settings
  add_files
  add_certificate
  add_code
  add_uploads
  configure_postgres
  fill_database
  start_site
}

main "$@"
