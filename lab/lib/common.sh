# Names, messages and waits that every command of the lab shares. Sourced, never run.
# shellcheck shell=bash disable=SC2034 # Used by the files that source this one.

LAB_ROLES=(old new)
LAB_NETWORK=198.51.100
LAB_BRIDGE=lab0

# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE[0]%/*}/../../components/shell/busy.sh"

# say TEXT: one progress line, on stderr.
say() {
  printf 'lab: %s\n' "$*" >&2
}

# fail TEXT: ends the command with one sentence that says what is wrong and what to do.
fail() {
  printf 'lab: error: %s\n' "$*" >&2
  exit 1
}

# need TOOL...: fails with all missing tools and the packages that hold them.
need() {
  [[ $(uname -s) == Linux ]] || fail "the lab runs on Linux only, this is $(uname -s): use a Linux machine or VM"
  ((EUID == 0)) || fail "the lab needs root to boot servers, this is user id $EUID: run it with sudo or as root"
  local tool missing=()
  for tool in "$@"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  ((${#missing[@]} == 0)) ||
    fail "missing on this machine: ${missing[*]}. Install the packages mmdebstrap, systemd-container, iproute2, openssh-client and util-linux"
}

# name_lab NAME: sets the names and folders that belong to a lab.
name_lab() {
  [[ $1 =~ ^[a-z][a-z0-9-]{0,19}$ ]] ||
    fail "LAB_NAME: expected 1 to 20 of a-z, 0-9 and -, a letter first, got '$1'"
  lab_name=$1
  lock_fd=
  lab_cache=${CHANGEOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/changeover}
  lab_state=$lab_cache/labs/$lab_name
  lab_netns=changeover-$lab_name
  # A UNIX socket's path has room for 107 bytes, and ssh appends 17 while it makes one.
  lab_sockets=/run/changeover/$lab_name
}

# address_of ROLE: prints the server's address.
address_of() {
  case $1 in
    old) printf '%s.10\n' "$LAB_NETWORK" ;;
    new) printf '%s.20\n' "$LAB_NETWORK" ;;
    *) fail "server: expected old or new, got '$1'" ;;
  esac
}

# in_lab CMD ARG...: runs a command in the lab's network namespace.
# `ip netns exec` would remount /sys and hide the cgroups from what runs there.
in_lab() {
  nsenter --net="/run/netns/$lab_netns" -- "$@"
}

# wait_for SECONDS WHAT CMD ARG...: runs a command until it succeeds. When time is up, or the command ends with 2 because
# waiting is in vain, it says what it last saw.
wait_for() {
  local seconds=$1 what=$2 seen code began=$SECONDS
  shift 2
  until seen=$("$@" 2>&1); do
    code=$?
    ((code != 2 && SECONDS - began < seconds)) || {
      say "waited $((SECONDS - began)) of $seconds seconds for $what; last seen: ${seen:-nothing}$(busy "this machine")"
      return 1
    }
    sleep 0.05
  done
}

# lock FILE SECONDS WHAT: takes a lock that ends with this process. Its descriptor is $lock_fd.
lock() {
  mkdir -p "${1%/*}"
  exec {lock_fd}>>"$1"
  flock --nonblock "$lock_fd" && return
  say "waiting for another command that is busy with $3"
  flock --wait "$2" "$lock_fd" ||
    fail "$3: another command has held $1 for more than $2 seconds$(busy "this machine"): end it ('fuser -v $1' shows it) and run this again"
}

# is_running ROLE: true while the server's supervisor lives; it holds this lock as long.
is_running() {
  [[ -e $lab_state/$1.running ]] && ! flock --nonblock "$lab_state/$1.running" true
}

# ssh_options ROLE: sets ssh_options for a connection to the server.
ssh_options() {
  ssh_options=(
    -F none -S "$lab_sockets/$1" -i "$lab_state/key" -l root
    -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR
    -o UserKnownHostsFile="$lab_state/known_hosts" -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes
    -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=3
  )
}

# connect ROLE: opens the connection that later ssh commands share, detached from the caller's terminal and output.
connect() (
  ssh_options "$1"
  mkdir -p "$lab_sockets"
  exec {connect_fd}>>"$lab_sockets/$1.lock"
  flock --wait 10 "$connect_fd" || exit 1
  [[ ! -S $lab_sockets/$1 ]] || exit 0
  in_lab setsid ssh "${ssh_options[@]}" -f -N -M -o ControlPersist=yes "$(address_of "$1")" </dev/null >/dev/null 2>&1 {connect_fd}>&-
)

# forget_dead_connection ROLE: removes the socket of a shared connection that is no more.
forget_dead_connection() {
  ssh -F none -S "$lab_sockets/$1" -O check "$1" 2>/dev/null || rm -f "$lab_sockets/$1"
}
