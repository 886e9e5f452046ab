# Users and groups in the files of /etc. A program that changes several of these files and is killed leaves a user or a group in some.
# shellcheck shell=bash
# has_line FILE NAME: true where a line of a file in /etc is a name's own.
has_line() {
  [[ -e /etc/$1 ]] && NAME=$2 awk -F: '$1 == ENVIRON["NAME"] { found = 1 } END { exit !found }' "/etc/$1"
}

# lacks_line FILE NAME: the contrary, where there is such a file.
lacks_line() {
  [[ -e /etc/$1 ]] && ! has_line "$@"
}

# is_listed NAME: true where a group lists a user.
is_listed() {
  local file
  for file in group gshadow; do
    [[ -e /etc/$file ]] || continue
    ! NAME=$1 awk -F '[:,]' '{ for (i = 3; i <= NF; i++) if ($i == ENVIRON["NAME"]) found = 1 } END { exit !found }' "/etc/$file" ||
      return 0
  done
  return 1
}

# remove_user NAME: what userdel leaves when it is killed goes only with a user of that name.
remove_user() {
  if ! getent passwd -- "$1" >/dev/null; then
    has_line shadow "$1" || has_line subuid "$1" || has_line subgid "$1" || is_listed "$1" || return 0
    useradd --system --no-user-group --gid 65534 --no-create-home --shell /usr/sbin/nologin -- "$1"
  fi
  userdel -- "$1"
}

# remove_group NAME: as remove_user.
remove_group() {
  if ! getent group -- "$1" >/dev/null; then
    has_line gshadow "$1" || return 0
    groupadd --system -- "$1"
  fi
  groupdel -- "$1"
}
