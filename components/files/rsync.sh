# Copies the paths of the settings between old and new through the gate. COPY (all paths) and FILES (the users' files) are set above.
# shellcheck shell=bash

# rsync with everything that makes a file: owner, mode, times, hard links, ACLs, attributes; numbers stand for paths on old.
sync_path() {
  local from=$1 to=$2
  shift 2
  # The gate answers a number with the path's own name, which newer versions take for an intrusion.
  ! rsync --help | grep -q -- --trust-sender || set -- --trust-sender "$@"
  rsync --archive --hard-links --acls --xattrs --delete --delay-updates --rsh="$ROOT/access-key/ssh" --timeout=60 "$@" -- "$from" "$to"
}

# Brings one path, by its number, from old. Folders are synced inside, so that what vanished on old vanishes here.
pull_path() {
  local index=$1 path=${COPY[$1]} slash=''
  shift
  ! gate_is_dir "$index" || slash=/
  make_dir "$(dirname -- "$path")"
  sync_path "$OLD_USER@$OLD_ADDRESS:@$index$slash" "$path$slash" "$@"
}

# Takes one path of the users' files, by its number, back to old.
push_path() {
  local path=${FILES[$1]} slash=''
  [[ ! -d $path ]] || slash=/
  sync_path "$path$slash" "$OLD_USER@$OLD_ADDRESS:@$1$slash"
}

# True when the path with this number is a folder on old.
gate_is_dir() {
  [[ $(gate kind "$1") == directory ]]
}

# Bytes of all paths on new.
copied_bytes() {
  du -scb -- "${COPY[@]}" 2>/dev/null | tail -n 1 | cut -f 1
}
