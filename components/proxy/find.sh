# The site in nginx. NGINX (its name, may be empty) and NAMES (its domain names) are set above.
# shellcheck shell=bash

# The enabled files of the site, one a line: by the file's name, or else by server_name.
nginx_files() {
  local file name
  for file in /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*.conf; do
    [[ -f $file ]] || continue
    if [[ -n $NGINX ]]; then
      [[ ${file##*/} != "$NGINX" && ${file##*/} != "$NGINX.conf" ]] || printf '%s\n' "$file"
      continue
    fi
    for name in "${NAMES[@]}"; do
      if sed 's/#.*//' "$file" | tr '\n' ' ' | grep -Eq "server_name[^;]*[[:space:]]${name//./\\.}([[:space:];])"; then
        printf '%s\n' "$file"
        break
      fi
    done
  done
}
