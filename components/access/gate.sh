# The gate on old: all that new may ask of old, with the move's own key. Settings stand above it; one argument: the request.
# shellcheck shell=bash

# Requests that old has passed on.
readonly PASSED_LOG=/var/log/nginx/changeover-$MOVE.log

# Ends with a reason; as the shared functions call it, too.
die() {
  refuse "$@"
}
refuse() {
  printf 'gate on old: %s\n' "$*" >&2
  exit 1
}

# psql as the superuser.
sql() {
  superuser_psql "$@"
}

# rsync's server side, for the paths of the settings only, named by number: @0, @1/, ...; writing only for the users' files.
serve_rsync() {
  local -a words=("$@")
  local last=${words[-1]} word index path
  [[ ${words[0]} == --server ]] || refuse "rsync: only as a server"
  for word in "${words[@]:0:${#words[@]}-1}"; do
    [[ $word =~ ^(\.|-[-A-Za-z0-9.=%]*)$ ]] || refuse "rsync: option $word is not allowed"
  done
  [[ $last =~ ^@([0-9]+)(/?)$ ]] || refuse "rsync: the path is a number, but is $last"
  index=${BASH_REMATCH[1]}
  if [[ ${words[1]} == --sender ]]; then path=${COPY[$index]:-}; else path=${FILES[$index]:-}; fi
  [[ -n $path ]] || refuse "rsync: no path has the number $index"
  exec rsync "${words[@]:0:${#words[@]}-1}" "$path${BASH_REMATCH[2]}"
}

# What a path of the settings is: directory, regular file, ...
kind() {
  stat -L -c %F -- "${COPY[$1]}"
}

# What ran on old, when, for how long.
journal() {
  cat "/var/log/changeover/$MOVE/journal"
}

# Removes what users removed on new: names below one of the users' folders, each with a NUL, by stdin.
remove() {
  local root=${FILES[$1]:-} name
  local -a names=()
  [[ -d $root ]] || refuse "remove: no folder of the users' files has the number $1"
  while IFS= read -r -d '' name; do
    [[ $name == ./* && /$name/ != */../* ]] || refuse "remove: $name is not below $root"
    names=("$name" "${names[@]}")
  done
  cd -- "$root" || refuse "remove: $root cannot be entered"
  for name in "${names[@]}"; do rm -df -- "$name" || true; done
}

# Bytes of all paths of the settings together.
bytes() {
  while_written du -scb -- "${COPY[@]}" | tail -n 1 | cut -f 1
}

# A path and every folder above it below /etc/letsencrypt and the like, parents first, without leading slash; links with targets.
with_parents() {
  local path=$1 dir at=''
  local -a parts
  IFS=/ read -ra parts <<<"${path#/}"
  for dir in "${parts[@]:0:${#parts[@]}-1}"; do
    at+=${at:+/}$dir
    printf '%s/\n' "$at"
  done
  printf '%s\n' "${path#/}"
  [[ ! -L $path ]] || with_parents "$(readlink -f -- "$path")"
}

# The values of some directives in nginx's site file.
directive() {
  sed 's/^[[:space:]]*#.*//' "$NGINX_FILE" | grep -Eo "(^|[[:space:];{])($1)[[:space:]]+[^;]+;" | sed -E 's/^[^a-z]*[a-z_]+[[:space:]]+//; s/[[:space:]]*;$//; s/^"(.*)"$/\1/' || true
}

# The site's enabled file in nginx; where traffic is passed on already, the one that was there before.
find_nginx_file() {
  NGINX_FILE=$(nginx_files)
  [[ -n $NGINX_FILE && $NGINX_FILE != *$'\n'* ]] || refuse "nginx: one enabled file should serve ${NAMES[*]}, but there are: ${NGINX_FILE:-none}"
}

# How certbot renews a certificate: its settings, all parts of it, and the account that they name.
renewal_files() {
  local part id folder
  with_parents "$1"
  for part in cert privkey chain fullchain; do
    folder=/etc/letsencrypt/live/$(basename "$1" .conf)
    [[ ! -f $folder/$part.pem ]] || with_parents "$folder/$part.pem"
  done
  id=$(sed -nE 's/^account *= *([0-9a-f]+) *$/\1/p' "$1")
  [[ -n $id && -d /etc/letsencrypt/accounts ]] || return 0
  find /etc/letsencrypt/accounts -name "$id" | while IFS= read -r folder; do files_below "$folder"; done
}

# The files below a folder, which may not be there.
files_below() {
  local path
  [[ -d $1 ]] || return 0
  find -L "$1" -type f | while IFS= read -r path; do with_parents "$path"; done
}

# The site's units, those included that its timers start, one a line.
units() {
  local unit
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    [[ $unit != supervisor:* ]] || continue
    printf '%s\n' "$unit"
    [[ $unit != *.timer ]] || systemctl show --property=Triggers --value -- "$unit" | tr ' ' '\n'
  done
}

# The files of the site's programs of supervisor, one a line.
program_files() {
  local unit
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    [[ $unit != supervisor:* ]] || program_file "${unit#*:}" || refuse "units: no file of /etc/supervisor/conf.d has [program:${unit#*:}]"
  done
}

# The files of a group, one a line.
group_files() {
  local unit path name
  case $1 in
    units)
      for unit in $(units); do
        path=$(systemctl show --property=FragmentPath --value -- "$unit")
        [[ -n $path ]] || refuse "units: $unit has no file"
        with_parents "$path"
        for path in $(systemctl show --property=DropInPaths --value -- "$unit"); do with_parents "$path"; done
      done
      program_files | while IFS= read -r path; do with_parents "$path"; done
      ;;
    monit)
      monit_files | while IFS= read -r path; do with_parents "$path"; done
      ;;
    nginx)
      with_parents "$NGINX_FILE"
      ;;
    includes)
      directive include | { grep -v '[*]' || true; } | while IFS= read -r path; do
        [[ $path == /* ]] || path=/etc/nginx/$path
        [[ ! -f $path ]] || with_parents "$path"
      done
      ;;
    certificates)
      directive 'ssl_certificate|ssl_certificate_key|ssl_trusted_certificate|ssl_dhparam|auth_basic_user_file' | while IFS= read -r path; do
        [[ $path == /* ]] || path=/etc/nginx/$path
        [[ ! -f $path ]] || with_parents "$path"
        name=${path#/etc/letsencrypt/live/}
        [[ $name == "$path" || ! -f /etc/letsencrypt/renewal/${name%%/*}.conf ]] || renewal_files "/etc/letsencrypt/renewal/${name%%/*}.conf"
      done
      [[ -z $ACME_SERVER ]] || files_below "/etc/letsencrypt/accounts/${ACME_SERVER#https://}"
      ;;
    logrotate)
      for name in "${LOGROTATE[@]}"; do with_parents "/etc/logrotate.d/$name"; done
      ;;
    cron)
      for name in "${CRON[@]}"; do
        case $name in
          "crontab of "*) with_parents "/var/spool/cron/crontabs/${name#crontab of }" ;;
          *) with_parents "$name" ;;
        esac
      done
      ;;
    *) refuse "no group is named $1" ;;
  esac
}

# Sends the files of a group as a tar stream. Cron's files are also found where the move keeps them once it has stopped cron.
pull() {
  local list
  find_nginx_file
  list=$(group_files "$1" | awk '!seen[$0]++')
  tar -cf - -C / --no-recursion --verbatim-files-from --files-from=<(printf '%s\n' "$list")
}

# The users and groups that own the site: of units, cron, and of what lies at the paths. passwd lines, group lines, memberships.
accounts() {
  local unit path names name groups
  names=$(
    for unit in $(units); do systemctl show --property=User --value -- "$unit"; done
    program_files | while IFS= read -r path; do sed -nE 's/^[[:space:]]*user[[:space:]]*=[[:space:]]*([a-z_][a-z0-9_-]*).*/\1/p' "$path"; done
    for path in "${CRON[@]}"; do [[ $path != "crontab of "* ]] || printf '%s\n' "${path#crontab of }"; done
    while_written find "${COPY[@]}" -maxdepth 3 -printf '%u\n'
  )
  names=$(sort -u <<<"$names" | grep -vx 'root' | grep . || true)
  groups=$(
    for unit in $(units); do systemctl show --property=Group --value -- "$unit"; done
    while_written find "${COPY[@]}" -maxdepth 3 -printf '%g\n'
    for name in $names; do id -gn -- "$name"; done
  )
  for name in $(sort -u <<<"$groups" | grep -vx 'root' || true); do printf 'group:%s\n' "$(getent group -- "$name")"; done
  for name in $names; do
    printf 'passwd:%s\n' "$(getent passwd -- "$name")"
    printf 'member:%s:%s\n' "$name" "$(id -Gn -- "$name")"
  done
}

# Where requests that are passed on are logged: where the site's are, and in a log of the move's own, which tells who still comes to old.
access_logs() {
  local logs
  logs=$(directive access_log)
  [[ -n $logs ]] || logs=$(NGINX_FILE=/etc/nginx/nginx.conf directive access_log)
  printf '%s\n' "${logs:-/var/log/nginx/access.log combined}" | grep -vx off | sort -u | sed 's/.*/access_log &;/' || true
  mkdir -p "$(dirname "$PASSED_LOG")"
  printf 'access_log %s combined;' "$PASSED_LOG"
}

# What one of the site's own pages is compared by; the marker in base64.
page() {
  [[ $1 == /* && $1 != *[[:cntrl:]]* ]] || refuse "page: $1 is no path"
  page_digest "$1" "$(base64 -d <<<"$2")" || refuse "page: no whole answer to $1 came within ${PAGE_TIMEOUT:-10} s$(busy "old")"
}

# From now on old's nginx passes every request of the site to new: same host, same scheme, websockets too.
pass_on() {
  find_nginx_file
  local kept=$HERE/nginx config
  if [[ ! -e $kept.path ]]; then
    cp -a --no-target-directory -- "$NGINX_FILE" "$kept.saved"
    printf '%s' "$NGINX_FILE" >"$kept.path"
  fi
  mkdir -p /etc/nginx/changeover
  config=${PASS_ON//OTHER/$(url_host "$NEW_ADDRESS")}
  printf '%s' "${config//'# LOGS'/"$(access_logs)"}" >"/etc/nginx/changeover/$MOVE-pass-on.conf"
  write_passing
  nginx -t || {
    pass_off
    refuse "nginx: old's configuration is not valid with the site passed on: $(nginx -t 2>&1 | head -n 1)"
  }
  reload_nginx
  drain_nginx 3
}

# Writes the site's file as it is while old passes on, with the certificate that new has sent, if it has.
write_passing() {
  local new=$HERE/nginx.new pem
  pem=$(passed_certificate)
  awk -v line="include /etc/nginx/changeover/$MOVE-pass-on.conf;" "$INJECT" "$(saved_content)" |
    if [[ -e $pem ]]; then with_certificate "$pem" "$pem" "$pem"; else cat; fi >"$new"
  chmod 644 "$new"
  mv -- "$new" "$NGINX_FILE"
}

# The content of the site's file as it was before.
saved_content() {
  if [[ -L $HERE/nginx.saved ]]; then realpath -- "$(dirname -- "$(cat "$HERE/nginx.path")")/$(readlink -- "$HERE/nginx.saved")"; else printf '%s' "$HERE/nginx.saved"; fi
}

# Waits up to 2 seconds until old has answered what it had begun when it began to pass on.
drained() {
  local end=$((SECONDS + 2))
  while [[ $(nginx_workers | xargs --no-run-if-empty ps -o args=) == *'shutting down'* ]]; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# Old's nginx serves the site itself again, exactly as before.
pass_off() {
  local kept=$HERE/nginx path
  [[ -e $kept.path ]] || return 0
  path=$(cat "$kept.path")
  cp -a --no-target-directory -- "$kept.saved" "$path.changeover"
  mv --no-target-directory -- "$path.changeover" "$path"
  rm -f "/etc/nginx/changeover/$MOVE-pass-on.conf"
  rm -f "$(passed_certificate)"*
  rmdir --ignore-fail-on-non-empty /etc/nginx/changeover 2>/dev/null || true
  request_reload
  await_reload || true
  rm -f "$kept.path" "$kept.saved"
  rm -f -- "$PASSED_LOG"*
}

# Whether old's nginx passes the site on.
passing() {
  if [[ -e $HERE/nginx.path ]] && grep -q "$MOVE-pass-on.conf" "$(cat "$HERE/nginx.path")"; then printf 'yes\n'; else printf 'no\n'; fi
}

# The file for what is kept under a name while jobs change their server.
handed_file() {
  [[ $1 =~ ^(cron|[A-Za-z0-9:_.@-]+\.timer)$ ]] || refuse "nothing is kept under the name '$1'"
  printf '%s' "$HERE/handed.$1"
}

# Prints it, where there is something.
handed() {
  cat "$(handed_file "$1")" 2>/dev/null || true
}

# Keeps a number under a name.
hand() {
  [[ $2 =~ ^[0-9]{1,12}$ ]] || refuse "hand: a number is kept, but this is '$2'"
  printf '%s\n' "$2" >"$(handed_file "$1")"
}

# One request a call.
main() {
  local -a words
  trap '' PIPE
  cd /
  export LC_ALL=C.UTF-8
  HERE=$(dirname -- "$(readlink -f -- "$0")")
  read -ra words <<<"$1"
  case ${words[0]:-} in
    rsync) serve_rsync "${words[@]:1}" ;;
    journal) journal ;;
    kind) kind "${words[1]:-0}" ;;
    bytes) bytes ;;
    remove) remove "${words[1]:-}" ;;
    pull) pull "${words[1]:-}" ;;
    accounts | roles | fence | unfence | counts | identities) "${words[0]}" ;;
    database-size) database_size ;;
    copy-role) copy_role "valid until '$(date -u -d '2 days' +%FT%TZ)'" ;;
    follow-role) follow_role ;;
    drop-copy-role) drop_copy_role ;;
    wal-level) wal_level ;;
    decode-wal) decode_wal ;;
    decode-wal-no-more) decode_wal_no_more ;;
    drop-slot) drop_slot "${words[1]:-}" ;;
    page) page "${words[1]:-}" "${words[2]:-}" ;;
    pass-on) pass_on ;;
    pass-off) pass_off ;;
    passing | drained | certificate) "${words[0]}" ;;
    handed) handed "${words[1]:-}" ;;
    hand) hand "${words[1]:-}" "${words[2]:-}" ;;
    *) refuse "the request '${words[0]:-}' is not known" ;;
  esac
}
