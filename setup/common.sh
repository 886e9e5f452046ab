#!/usr/bin/env bash
# Where things are, and how a setup script speaks; sourced by every script beside it.

# shellcheck disable=SC2034 # used by the scripts that source this one
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What all checkouts of this user share: downloaded and built programs.
cache=${CHANGEOVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/changeover}
# What belongs to this checkout alone: links to the programs chosen for it, and the doubles, which run its own files.
bin=$root/.changeover/bin

# say TEXT...: one line for the person who waits.
say() {
  printf '%s: %s\n' "${0##*/}" "$*"
}

# die TEXT...: says why it cannot go on, and ends.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# elsewhere PROGRAM: its path on PATH, leaving out what setup itself put there.
elsewhere() {
  local path
  path=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vFx -e "$bin" -e "$root/node_modules/.bin" | paste -sd:)
  PATH=$path type -P "$1"
}

# version_at_least MINIMUM VERSION: whether VERSION (with or without a leading v) is the minimum or newer.
version_at_least() {
  [[ $(printf '%s\n%s\n' "$1" "${2#v}" | sort -V | head -n 1) == "$1" ]]
}

# root_on_debian: whether packages can be installed with apt-get here.
root_on_debian() {
  [[ $EUID -eq 0 ]] && type -P apt-get >/dev/null
}

# apt_install PACKAGE...: installs from the machine's own package sources, waiting for another run of apt.
apt_install() {
  local -a options=(-qq -y -o DPkg::Lock::Timeout=600)
  apt-get "${options[@]}" update >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install --no-install-recommends "$@" >/dev/null
}

# link PROGRAM [PATH]: puts the chosen program on this checkout's PATH; without a path, takes it off again.
link() {
  mkdir -p "$bin"
  if [[ -n ${2:-} ]]; then
    ln -sfn "$2" "$bin/$1"
  else
    rm -f "$bin/$1"
  fi
}

# python_environment FOLDER REQUIREMENTS: a virtual environment of Python that holds what the file lists, whole or not at all.
python_environment() {
  if [[ -e $1/complete ]]; then
    say "found ${1##*/} in the cache"
    return
  fi
  say "installing ${1##*/} into the cache"
  rm -rf "$1"
  if ! python3 -m venv "$1" >/dev/null 2>&1; then
    root_on_debian || die "python3 with its venv module is missing: install it from your system's packages"
    apt_install python3-venv
    python3 -m venv "$1"
  fi
  "$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
  touch "$1/complete"
}
