# Copies the paths of the settings between old and new through the gate. COPY (all paths) and FILES (the users' files) are set above.
# shellcheck shell=bash

# rsync with everything that makes a file: owner, mode, times, hard links, ACLs, attributes; numbers stand for paths on old.
sync_path() {
  local from=$1 to=$2
  shift 2
  # The gate answers a number with the path's own name, which newer versions take for an intrusion.
  ! rsync --help | grep -q -- --trust-sender || set -- --trust-sender "$@"
  rsync --archive --hard-links --acls --xattrs --delay-updates --rsh="$ROOT/access-key/ssh" --timeout=60 "$@" -- "$from" "$to"
}

# Brings one path, by its number, from old; more rsync options may follow (--delete only while no user writes on new).
pull_path() {
  local index=$1 path=${COPY[$1]} slash=''
  shift
  ! gate_is_dir "$index" || slash=/
  make_dir "$(dirname -- "$path")"
  sync_path "$OLD_USER@$OLD_ADDRESS:@$index$slash" "$path$slash" "$@"
}

# True when the path with this number is a folder on old.
gate_is_dir() {
  [[ $(gate kind "$1") == directory ]]
}

# Brings the users' files from old; more rsync options may follow.
pull_users_files() {
  local index
  for index in "${!FILES[@]}"; do pull_path "$index" "$@"; done
}

# Takes the users' files that are new or newer on new to old. Nothing vanishes on old by it.
push_users_files() {
  local index path slash
  for index in "${!FILES[@]}"; do
    path=${FILES[$index]} slash=''
    [[ ! -d $path ]] || slash=/
    sync_path "$path$slash" "$OLD_USER@$OLD_ADDRESS:@$index$slash" --update
  done
}

# Bytes of all paths on new.
copied_bytes() {
  du -scb -- "${COPY[@]}" 2>/dev/null | tail -n 1 | cut -f 1
}

# The users' files of one number on new, each with a NUL, sorted.
list_users_files() {
  [[ ! -d ${FILES[$1]} ]] || (cd -- "${FILES[$1]}" && find . -mindepth 1 -print0 | sort -z)
}

# Remembers which of the users' files there are, when new takes over.
remember_users_files() {
  local index
  for index in "${!FILES[@]}"; do list_users_files "$index" >"$STATE/files.$index"; done
}

# Removes from old what users have removed on new since it took over, and nothing else.
remove_users_files() {
  local index
  for index in "${!FILES[@]}"; do
    [[ -e $STATE/files.$index ]] || continue
    list_users_files "$index" | comm -z -23 "$STATE/files.$index" - | gate remove "$index"
  done
}
