# Why a wait may have run out that was long enough otherwise.
# shellcheck shell=bash

# What the message of a missed deadline ends with where this server has too much to do, nothing elsewhere: busy [WHO]. No program is
# started for it.
busy() {
  local load word processors=0
  read -r load _ <"${LOADAVG:-/proc/loadavg}" || return 0
  while read -r word _; do [[ $word != cpu[0-9]* ]] || processors=$((processors + 1)); done </proc/stat
  ((10#${load/./} <= processors * 200)) || printf '; %s was busy: load %s on %s processors' "${1:-this server}" "${load%?}" "$processors"
}
