#!/usr/bin/env bash
# Prints all that makes up a server, as sorted lines that two runs on an idle server share: bash -s -- [--without-rows]
# components/shell/vanished.sh stands above it, for users may write files meanwhile.
set -Eeuo pipefail
export LC_ALL=C

# Folders read in full.
roots=(/etc /home /root /srv /usr/local /var/lib /var/spool/cron)

# What changes by itself, or in ways no undo can take back (the -s of shadow tools, ids of the next login).
volatile=(
  /etc/mtab /etc/resolv.conf /etc/adjtime /etc/ld.so.cache /etc/.pwd.lock
  '/etc/passwd-' '/etc/shadow-' '/etc/group-' '/etc/gshadow-' '/etc/subuid-' '/etc/subgid-'
  '/root/.cache' '/home/*/.cache'
  /var/lib/apt /var/lib/dpkg /var/lib/monit /var/lib/nginx /var/lib/logrotate /var/lib/sudo '/var/lib/postgresql/*/*'
  /var/lib/systemd/{timers,timesync,catalog,coredump,random-seed}
)

# say KIND: marks each line of stdin with its kind.
say() {
  sed "s/^/$1 /"
}

# list_files: prints path, type, mode, owner, group and, by type, size and digest or the link's target of each file.
list_files() {
  local root place present=() skip=() type mode owner group size target path digest
  local -A digests=()
  for root in "${roots[@]}"; do [[ -d $root ]] && present+=("$root"); done
  for place in "${volatile[@]}"; do skip+=(-o -path "$place"); done
  skip=('(' "${skip[@]:1}" ')' -prune)
  while IFS=' ' read -r -d '' digest path; do
    digests[${path# }]=${digest#\\}
  done < <(while_written find "${present[@]}" "${skip[@]}" -o -type f -print0 | while_written xargs -0r sha256sum -z)
  # One that has only seen a part of it has failed.
  wait "$!"
  while IFS=/ read -r -d '' type mode owner group size path && IFS= read -r -d '' target; do
    path=/$path
    case $type in
      f) printf 'file %q %s %s %s %s %s %s\n' "$path" "$type" "$mode" "$owner" "$group" "$size" "${digests[$path]:-gone}" ;;
      l) printf 'file %q %s %s %s %s -> %q\n' "$path" "$type" "$mode" "$owner" "$group" "$target" ;;
      *) printf 'file %q %s %s %s %s\n' "$path" "$type" "$mode" "$owner" "$group" ;;
    esac
  done < <(while_written find "${present[@]}" "${skip[@]}" -o -printf '%y/%m/%u/%g/%s%p\0%l\0')
  wait "$!"
}

# list_units: prints which units are enabled, and which of the lasting ones run.
list_units() {
  systemctl list-unit-files --no-legend --no-pager --full | awk '$2 != "transient" { print $1, $2 }' | say unit
  systemctl show --property=Id,Type,RemainAfterExit,ActiveState,Transient '*.service' '*.socket' '*.timer' '*.path' |
    awk -F= '
      { value[$1] = $2 }
      /^$/ { flush() }
      END { flush() }
      function flush(id) {
        id = value["Id"]
        value["Id"] = ""
        if (id == "" || value["ActiveState"] == "inactive" || value["Transient"] == "yes") return
        if (value["Type"] == "oneshot" && value["RemainAfterExit"] == "no" && value["ActiveState"] != "failed") return
        if (id ~ /^(user|user-runtime-dir|ssh|sshd)@|^systemd-(hostnamed|localed|timedated|ask-password-[a-z]+)[.]/) return
        print id, value["ActiveState"]
      }' | say active
}

# list_network: prints the firewall's rules without counters, and the addresses listened on.
list_network() {
  if command -v nft >/dev/null; then nft --stateless list ruleset | say firewall; fi
  ss -ltnH | awk '{ print $4 }' | sort -u | say listens
}

# query DATABASE: runs the SQL of stdin as the administrator, fields parted by blanks.
query() {
  runuser -u postgres -- psql --no-psqlrc -v ON_ERROR_STOP=1 --quiet --tuples-only --no-align --field-separator=' ' --dbname="$1"
}

# dump PREFIX COMMAND...: runs a dump, without the random tokens newer ones print and without comments.
dump() {
  local prefix=$1
  shift
  runuser -u postgres -- "$@" | sed -E '/^\\(un)?restrict /d; /^(--.*)?$/d' | say "$prefix"
}

# list_settings: prints what was set for the whole cluster, and what replicates from or to it.
list_settings() {
  query postgres <<'SQL'
SELECT 'setting', name, setting, source FROM pg_settings
WHERE source NOT IN ('default', 'client', 'session', 'environment variable', 'override')
ORDER BY name;
SELECT 'file setting', regexp_replace(sourcefile, '^.*/', ''), name, setting, error FROM pg_file_settings
ORDER BY seqno;
SELECT 'hba error', line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL ORDER BY 2;
SELECT 'slot', slot_name, plugin, slot_type, database FROM pg_replication_slots ORDER BY 2;
SELECT 'origin', regexp_replace(roname, '^pg_\d+$', 'of a subscription') FROM pg_replication_origin ORDER BY 2;
SQL
}

# list_rows DATABASE: prints the number of rows and a digest of each table, and where each sequence stands.
list_rows() {
  query "$1" <<'SQL' | say "rows $1"
SET timezone = 'UTC';
SET search_path = '';
SELECT format(
  'SELECT %L, count(*), md5(string_agg(digest, '''' ORDER BY digest COLLATE "C")) FROM (SELECT md5(t::text) AS digest FROM ONLY %s t) t',
  oid::regclass, oid::regclass)
FROM pg_class
WHERE relkind IN ('r', 'm') AND relpersistence <> 't' AND relnamespace NOT IN (
  SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\_%' OR nspname = 'information_schema')
ORDER BY oid::regclass::text COLLATE "C" \gexec
SELECT 'sequence', schemaname, sequencename, last_value FROM pg_sequences
ORDER BY schemaname COLLATE "C", sequencename COLLATE "C";
SELECT 'large objects', count(*) FROM pg_largeobject_metadata;
SQL
}

# list_postgres WITH_ROWS: prints the roles, settings, schemas and, if asked for, the rows.
list_postgres() {
  local database
  command -v psql >/dev/null || return 0
  if ! query postgres <<<'SELECT' >/dev/null 2>&1; then
    echo "postgres does not answer"
    return
  fi
  dump globals pg_dumpall --globals-only
  list_settings | say postgres
  while read -r database; do
    dump "schema $database" pg_dump --schema-only --create "--dbname=$database"
    if [[ $1 == yes ]]; then list_rows "$database"; fi
  done < <(query postgres <<<'SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1')
}

main() {
  local rows=yes
  if [[ ${1:-} == --without-rows ]]; then rows=no; fi
  cd /
  list_files | sort
  dpkg-query -W -f='${db:Status-Abbrev} ${Package} ${Version}\n' | sort | say package
  list_units | sort
  list_network
  list_postgres "$rows"
}

main "$@"
