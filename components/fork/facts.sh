# Looks at old or its copy and prints facts, one a line. Reads only; settings, facts.sh and writes.sh stand above
# it, and for the quick look status.sh.
# shellcheck shell=bash

# The commands that the steps use, and which of them are missing here.
missing_tools() {
  local tool
  for tool in systemctl systemd-run flock timeout awk find runuser base64 openssl ssh-keygen getent hostname; do
    command -v "$tool" >/dev/null || printf '%s\n' "$tool"
  done
}

# The databases of a server on this machine, without PostgreSQL's own.
databases_here() {
  command -v psql >/dev/null || return 0
  sql --command="select datname from pg_database where datname !~ '^(postgres|template[01])$'" postgres
}

# What users have written, once the copy has them, or that it cannot be found out.
written_fact() {
  local places
  [[ $SIDE == new && -e $HANDOVER/done ]] || return 0
  if places=$(
    set -o pipefail
    # shellcheck disable=SC2034 # written_places reads it
    LOOK_SECONDS=15
    written_places 2>/dev/null
  ); then fact written "$places"; else fact written.unknown yes; fi
}

# How far the fork is here, quickly.
status_fork() {
  progress_facts
  written_fact
  fact complete yes
}

# All that guards ask for.
inspect_fork() {
  local unit path
  fact user "$(id -u)"
  fact tools "$(missing_tools)"
  fact machine "$(cat /sys/class/dmi/id/board_asset_tag 2>/dev/null || true)"
  move_facts
  for unit in "${JOBS[@]}"; do fact_of "unit.$unit" systemctl show --property=LoadState --value -- "$unit"; done
  for path in "${FILES[@]}"; do [[ -e $path ]] || fact "missing.$path" yes; done
  fact_of databases databases_here
  written_fact
  fact complete yes
}
