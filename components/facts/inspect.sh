# Looks at one server and prints facts, one a line. Reads only; settings are set above it.
# shellcheck shell=bash

# The commands that the steps use, and which of them are missing here.
tools() {
  local tool
  for tool in psql nginx rsync systemctl systemd-run openssl flock timeout awk find tar runuser base64 ssh ssh-keygen; do
    command -v "$tool" >/dev/null || printf '%s\n' "$tool"
  done
}

# A unit's properties, in a fixed order.
unit_facts() {
  local unit
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    if [[ $unit == supervisor:* ]]; then
      program_facts "${unit#*:}"
      continue
    fi
    fact_of "unit.$unit" systemctl show --property=LoadState,ActiveState,UnitFileState,FragmentPath,User -- "$unit"
  done
}

# The same of a program of supervisor.
program_facts() {
  local load=not-found active=inactive
  ! program_file "$1" >/dev/null || load=loaded
  timeout --kill-after=2 10 supervisorctl pid >/dev/null 2>&1
  case $? in
    124 | 137)
      not_found_out "unit.supervisor:$1" "'supervisorctl pid' got no answer" 10 ''
      return
      ;;
  esac
  ! program_runs "$1" || active=active
  fact "unit.supervisor:$1" "LoadState=$load"$'\n'"ActiveState=$active"
}

# Bytes below a path, nothing where it takes too long: all paths share 20 seconds.
bytes_of() {
  local left=$((20 - SECONDS))
  timeout "$((left > 1 ? left : 1))" du -sb -- "$1" 2>/dev/null | cut -f 1
}

# Paths: size in bytes, kind, and free space of their file system (or of the nearest folder that exists).
path_facts() {
  local path near
  for path in "${COPY[@]}"; do
    near=$path
    until [[ -e $near ]]; do near=$(dirname -- "$near"); done
    fact "path.$path" "$(stat -L -c %F -- "$path" 2>/dev/null || echo absent)"
    fact "free.$path" "$(stat -c %d -- "$near") $(df --output=avail -B1 -- "$near" | tail -n 1)"
    [[ ! -e $path || $SIDE != old ]] || fact "bytes.$path" "$(bytes_of "$path")"
    [[ ! -d $path || $SIDE != new ]] || fact "entries.$path" "$(find "$path" -mindepth 1 -maxdepth 1 -printf x 2>/dev/null | head -c 10 | wc -c)"
  done
}

# The database server as a whole.
cluster_facts() {
  fact_of database.version sql --command='show server_version_num' postgres || true
  fact database.error "$(sql_error)"
  fact_of database.settings sql postgres --command="select name, setting from pg_settings where name in
    ('listen_addresses', 'ssl', 'data_directory', 'hba_file', 'max_connections', 'max_prepared_transactions')"
  fact_of database.names sql --command='select datname from pg_database' postgres
  fact_of database.roles sql --command="select rolname, rolcanlogin, rolsuper from pg_roles where rolname !~ '^pg_'" postgres
  fact_of database.extensionsHere sql --command='select name, version from pg_available_extension_versions' postgres
  fact_of database.collations sql --command="select collname from pg_collation union select 'C.UTF-8' union select 'POSIX'" postgres
  fact_of database.locales locale -a
  fact database.free "$(df --output=avail -B1 -- "$(sql --command='show data_directory' postgres 2>/dev/null || echo /var/lib)" 2>/dev/null | tail -n 1)"
}

# The site's database on old.
database_facts() {
  fact_of database.size sql --set=name="$DATABASE" postgres <<<"select pg_database_size(oid), pg_encoding_to_char(encoding), datcollate, datctype from pg_database where datname = :'name'"
  fact_of database.ahead sql --set=big="$BIG" --dbname="$DATABASE" <<<"select sum(pg_total_relation_size(c.oid)) from pg_class c where c.relkind = 'r' and pg_table_size(c.oid) >= :big and exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)"
  fact_of database.sessions sql --set=name="$DATABASE" postgres <<<"select distinct a.usename from pg_stat_activity a join pg_roles r on r.rolname = a.usename where datname = :'name' and not r.rolsuper"
  fact_of database.passwords sql --set=roles="$(printf '%s\n' "${ROLES[@]}")" postgres <<<"select rolname, case when rolpassword is null then 'none' when rolpassword ~ '^SCRAM-SHA-256[\$]' then 'scram' else 'md5' end from pg_authid where rolname = any (string_to_array(:'roles', E'\n'))"
  fact_of database.prepared sql --set=name="$DATABASE" postgres <<<"select gid from pg_prepared_xacts where database = :'name'"
  fact_of database.long sql --set=name="$DATABASE" postgres <<<"select pid || ' ' || usename || ' since ' || xact_start from pg_stat_activity where datname = :'name' and xact_start < now() - interval '5 min'"
  fact_of database.subscriptions sql --set=name="$DATABASE" postgres <<<"select subname from pg_subscription s join pg_database d on d.oid = s.subdbid where datname = :'name' and subname !~ '^changeover_'"
  fact_of database.tablespaces sql --command="select spcname from pg_tablespace where spcname !~ '^pg_'" postgres
  fact_of database.extensions sql --dbname="$DATABASE" --command="select extname, extversion from pg_extension"
}

# Where the site's database address stands in the app's own file.
access_facts() {
  fact endpoint.matches "$(grep -cF -- "$ENDPOINT_ADDRESS" "$ENDPOINT_FILE" 2>/dev/null || true)"
}

# nginx: the site's file, and whether the whole configuration is valid.
nginx_facts() {
  fact nginx.files "$(nginx_files)"
  local said status=0
  said=$(timeout --kill-after=2 20 nginx -t 2>&1) || status=$?
  if no_answer "$status" ''; then not_found_out nginx.test "'nginx -t' did not end" 20 "$said"; else fact nginx.test "$said"; fi
}

# What users would be shown as the site's certificates here, and how certbot renews them: lineage, ACME server, authenticator.
certificate_facts() {
  local name file shown
  for name in "${NAMES[@]}"; do
    if shown=$(served 127.0.0.1 "$name"); then fact "served.$name" "$shown"; else fact "unknown.served.$name" "$shown"; fi
  done
  fact certbot.program "$(PATH=$PATH:/snap/bin command -v certbot || true)"
  fact certbot.lineages "$(for name in $(site_lineages); do
    file=/etc/letsencrypt/renewal/$name.conf
    printf '%s\t%s\t%s\n' "$name" "$(sed -nE 's/^server *= *//p' "$file")" "$(sed -nE 's/^authenticator *= *//p' "$file")"
  done)"
  # shellcheck disable=SC2016 # dpkg-query expands it
  fact_of certbot.plugins dpkg-query --show --showformat='${Package}\n' 'python3-certbot-*'
}

# Cron entries, files of monit and repositories of the settings that are not there.
missing_facts() {
  local entry
  for entry in "${CRON[@]}"; do
    case $entry in
      "crontab of "*) crontab -l -u "${entry#crontab of }" >/dev/null 2>&1 || fact "missing.$entry" cron ;;
      *) [[ -f $entry ]] || fact "missing.$entry" cron ;;
    esac
  done
  for entry in "${MONIT[@]}"; do
    [[ -e /etc/monit/conf.d/$entry || -e /etc/monit/conf-enabled/$entry ]] || fact "missing.$entry" monit
  done
  for entry in "${DEPLOYS[@]}"; do [[ -d $entry/hooks ]] || fact "missing.$entry" deploys; done
  for entry in "${LOGROTATE[@]}"; do [[ -f /etc/logrotate.d/$entry ]] || fact "missing./etc/logrotate.d/$entry" logrotate; done
}

# Locks that keep other tools from deploying and that somebody holds, with owner and time; those of moves are none of these.
held_locks() {
  local lock
  for lock in "${DEPLOY_LOCKS[@]}"; do
    [[ ! -e $lock ]] || head -n 1 -- "$lock" 2>/dev/null | grep -q '^Deploys to this server are closed: ' ||
      printf '%s\t%s\n' "$lock" "$(stat -c '%U since %y' -- "$lock" | cut -c 1-40)"
  done
}

# The packages that new should have: whether each is installed or known to apt, what apt would do for those that are missing, and
# what dpkg finds broken.
package_facts() {
  local name known
  local -a missing=()
  ((${#PACKAGES[@]} > 0)) || return 0
  known=$(apt-cache policy -- "${PACKAGES[@]}" 2>/dev/null | awk '/^[^ ].*:$/ { name = substr($0, 1, length($0) - 1) } $1 == "Candidate:" && $2 != "(none)" { print name }')
  for name in "${PACKAGES[@]}"; do
    # shellcheck disable=SC2016 # dpkg-query expands it
    if [[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' -- "$name" 2>/dev/null) == ?i* ]]; then
      fact "package.$name" installed
    elif grep -qxF -- "$name" <<<"$known"; then
      fact "package.$name" known
      missing+=("$name")
    else
      fact "package.$name" unknown
    fi
  done
  ((${#missing[@]} == 0)) || fact packages.plan "$(apt-get --simulate --no-install-recommends install -- "${missing[@]}" 2>&1 | grep -E '^(Inst|Remv|E:) ' || true)"
  fact_of packages.broken dpkg --audit
}

# What stands in files and runs beside the database.
system_facts() {
  nginx_facts
  certificate_facts
  unit_facts
  path_facts
  access_facts
  [[ $SIDE != old ]] || missing_facts
  fact deploys.held "$(held_locks)"
  [[ $SIDE != new ]] || package_facts
  page_facts
  straggler_facts
  address_facts
  move_facts
}

# The site's database, and how it is followed and reached.
site_facts() {
  [[ $SIDE != old ]] || database_facts
  [[ $SIDE != old ]] || fact_of strays stray_entries
  [[ $STRATEGY != replicate ]] || replication_facts
  [[ $THROUGH != pooler || $SIDE != new ]] || pooler_facts
}

# Prints what several looks find that are taken at the same time, one after the other; ends here where one does not come to its end.
# No more than three of them may ask the database: PostgreSQL keeps that many connections for its superuser.
at_once() {
  local look fd
  local -a looks=() found=()
  for look in "$@"; do
    exec {fd}< <(
      "$look"
      printf 'end\n'
    )
    looks+=("$fd")
  done
  for fd in "${looks[@]}"; do
    mapfile -t found <&"$fd"
    exec {fd}<&-
    printf '%s\n' "${found[@]}" | sed '$ { /^end$/ d }'
    [[ ${found[-1]:-} == end ]] || exit 1
  done
}

# Prints every fact of this server.
inspect() {
  export LC_ALL=C.UTF-8
  cd /
  fact user "$(id -u)"
  fact clock "$(date +%s.%N)"
  fact missing.tools "$(tools)"
  # shellcheck disable=SC2016 # read by the sh that it is for
  fact_of release sh -c '. /etc/os-release && printf "%s" "$PRETTY_NAME"'
  fact machine "$(uname -m)"
  at_once system_facts cluster_facts site_facts
  fact complete yes
}
