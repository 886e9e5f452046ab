# What strategy replicate has to know of a server; sql and fact come from inspect.sh. Reads only.
# shellcheck shell=bash

# Facts from replication.sql, and what psql could not ask.
replication_facts() {
  local database=postgres line errors='' roles
  [[ $SIDE != old ]] || database=$DATABASE
  printf -v roles '%s\n' "${ROLES[@]}"
  while IFS= read -r line; do
    if [[ $line =~ ^([A-Za-z]+)$'\t'([[{].*)$ ]]; then
      fact "replication.${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    elif [[ $line =~ (ERROR|FATAL): ]]; then
      errors+=$line$'\n'
    fi
  done < <(PGCLIENTENCODING=UTF8 sql --set=ON_ERROR_STOP=0 --set=side="$SIDE" --set=name="$DATABASE" --set=roles="${roles%$'\n'}" \
    --set=move="$MOVE" --set=elsewhere="$ELSEWHERE" \
    --dbname="$database" <<<"$REPLICATION_SQL" 2>&1)
  # What it could not ask at all, or no more.
  wait "$!" || errors+="psql ended with $?: $line"$'\n'
  fact replication.error "$errors"
  fact replication.walFree "$(df --output=avail -B1 -- "$(sql --command='show data_directory' postgres)/pg_wal" 2>/dev/null | tail -n 1)"
}

# PgBouncer: its version, the databases of its file, and who listens on the port that it is to have.
pooler_facts() {
  fact pooler.version "$(pgbouncer --version 2>/dev/null | sed -n 's/^PgBouncer \([0-9.]*\).*/\1/p')"
  fact pooler.databases "$(pooler_databases /etc/pgbouncer/pgbouncer.ini 2>/dev/null)"
  fact pooler.listener "$(listener "$POOLER_PORT")"
}

# The entries below [databases] of a file of PgBouncer.
pooler_databases() {
  awk '/^\[/ { inside = /^\[databases\]/; next } inside && /^[^;#[:space:]]/ { sub(/[[:space:]]*=.*/, ""); print }' "$1"
}

# Who listens on a port: the unit, or else the program.
listener() {
  local inode pid unit
  inode=$(awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  [[ -n $inode ]] || return 0
  pid=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -printf '%h\n' 2>/dev/null | head -n 1 | tr -dc 0-9)
  unit=$(grep -o '[^/]*\.service' "/proc/$pid/cgroup" 2>/dev/null | tail -n 1)
  printf '%s' "${unit:-$(cat "/proc/$pid/comm" 2>/dev/null || echo unknown)}"
}
