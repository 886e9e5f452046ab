# Copies the paths of the settings between old and new through the gate. COPY (all paths) and FILES (the users' files) are set above.
# shellcheck shell=bash

# rsync with everything that makes a file: owner, mode, times, hard links, ACLs, attributes; numbers stand for paths on old. Where it
# says that a part did not come (23), as when a file went between two looks at it or a folder that was being filled, it goes through
# all of it again: what is really wrong is so each time.
sync_path() {
  local from=$1 to=$2 ended
  shift 2
  # The gate answers a number with the path's own name, which newer versions take for an intrusion.
  ! rsync --help | grep -q -- --trust-sender || set -- --trust-sender "$@"
  for _ in 1 2 3 4 5; do
    ended=0
    while_written rsync --archive --hard-links --acls --xattrs --delay-updates --rsh="$ROOT/access-key/ssh" --timeout=60 "$@" -- "$from" "$to" || ended=$?
    ((ended == 23)) || break
  done
  ((ended == 0)) || die "${to%/}: rsync ended with $ended: $(grep -v '^rsync error: ' "$LOG" | tail -n 1 | cut -c 1-200)$(busy)"
}

# Old as rsync takes it: an IPv6 address in brackets.
ssh_host() {
  if [[ $OLD_ADDRESS == *:* ]]; then printf '[%s]' "$OLD_ADDRESS"; else printf '%s' "$OLD_ADDRESS"; fi
}

# Brings one path, by its number, from old; more rsync options may follow (--delete only while no user writes on new).
pull_path() {
  local index=$1 path=${COPY[$1]} slash=''
  shift
  [[ " $* " != *" --delete "* || $(gate passing) == no ]] || die "$path: users are on new already, and nothing there is overwritten from old"
  ! gate_is_dir "$index" || slash=/
  make_dir "$(dirname -- "$path")"
  sync_path "$OLD_USER@$(ssh_host):@$index$slash" "$path$slash" "$@"
}

# True when the path with this number is a folder on old.
gate_is_dir() {
  local kind
  kind=$(gate kind "$1") || die "old's gate does not say what path number $1 is: mend the way from new to old and run again"
  [[ $kind == directory ]]
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
    sync_path "$path$slash" "$OLD_USER@$(ssh_host):@$index$slash" --update
  done
}

# Bytes of all paths that are on new by now.
copied_bytes() {
  local path
  local -a there=()
  for path in "${COPY[@]}"; do [[ ! -e $path ]] || there+=("$path"); done
  ((${#there[@]} == 0)) || while_written du -scb -- "${there[@]}" | tail -n 1 | cut -f 1
}

# The users' files of one number on new, each with a NUL, sorted.
list_users_files() {
  [[ ! -d ${FILES[$1]} ]] || (cd -- "${FILES[$1]}" && while_written find . -mindepth 1 -print0 | sort -z)
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
    list_users_files "$index" >"$STATE/files.now"
    [[ -s $STATE/files.now || ! -s $STATE/files.$index ]] ||
      die "${FILES[$index]} is empty on new, but was not when new took over: is its volume mounted? Nothing was removed on old"
    comm -z -23 "$STATE/files.$index" "$STATE/files.now" >"$STATE/files.removed"
    gate remove "$index" <"$STATE/files.removed"
  done
}
