# Labs that were kept as they were at one moment, to be booted again from there. Sourced, never run.
# shellcheck shell=bash disable=SC2154 # name_lab in common.sh sets the names of the lab.

# What a save consists of; another number is another form, which is never read.
LAB_SAVE_FORM=1

# name_save NAME: sets the folder of a save.
name_save() {
  [[ $1 =~ ^[a-z0-9][a-z0-9.-]{0,99}$ ]] ||
    fail "name of a save: expected 1 to 100 of a-z, 0-9, . and -, got '$1'"
  save_name=$1
  lab_saves=${LAB_SAVES:-$lab_cache/saves}
  lab_save=$lab_saves/$1
}

# hold_save SECONDS: keeps the save from being replaced and removed while this process lives.
hold_save() {
  mkdir -p "$lab_saves"
  exec {save_fd}>>"$lab_save.lock"
  flock --shared --wait "$1" "$save_fd" || fail "save $save_name: another command makes or removes it since $1 seconds: run this again"
}

# trees_of FOLDER: prints the Debian trees that the servers kept there stand on, and which ones they are: a tree that was built anew
# under the same name is another one.
trees_of() {
  local role tree
  for role in "${LAB_ROLES[@]}"; do
    while read -rd : tree; do
      stat --format '%n %i %Z' "$tree" 2>&1 || true
    done <<<"$(<"$1/$role/tree"):"
  done
}

# bytes_of FOLDER: prints how many bytes the files of a save have; after a power cut some may be empty.
bytes_of() {
  find "$1" -type f ! -name bytes -printf '%s\n' | awk '{ sum += $1 } END { print sum }'
}

# is_whole: true when the save is there, in this form, and so are the trees that it stands on; prints what lacks.
is_whole() {
  [[ -d $lab_save ]] || {
    printf 'there is none'
    return 1
  }
  [[ $(cat "$lab_save/form" 2>/dev/null) == "$LAB_SAVE_FORM" ]] || {
    printf 'it is of another form'
    return 1
  }
  [[ $(trees_of "$lab_save") == "$(<"$lab_save/trees")" ]] || {
    printf 'the Debian trees below it are not there any more, or were built anew'
    return 1
  }
  [[ $(bytes_of "$lab_save") == "$(<"$lab_save/bytes")" ]] || {
    printf 'it is not whole'
    return 1
  }
}

# copy_lab FOLDER: copies both servers' disks while neither runs; what they had in memory only is gone, as after a power cut.
copy_lab() {
  local role
  for role in "${LAB_ROLES[@]}"; do
    mkdir "$1/$role"
  done
  # shellcheck disable=SC2016 # The inner bash expands it.
  unshare --mount --propagation private \
    "$LAB_LIB/machine" frozen "$lab_netns-old" "$LAB_LIB/machine" frozen "$lab_netns-new" \
    bash -ec 'for role in old new; do cp -a "$1/$role/files" "$1/$role/tree" "$2/$role/"; done' copy "$lab_state" "$1"
}

# remove_save NAME: unless another command is busy with it.
remove_save() (
  name_save "$1"
  exec {removing_fd}>>"$lab_save.lock"
  flock --nonblock "$removing_fd" || exit 0
  [[ ! -d $lab_save ]] || mv "$lab_save" "$lab_save.gone"
  rm -rf --one-file-system "$lab_save.half" "$lab_save.gone" "$lab_save.lock" "$lab_save.making"
)

# saves_by_use: prints every save with its bytes, the longest unused first.
saves_by_use() {
  find "$lab_saves" -mindepth 2 -maxdepth 2 -name bytes -printf '%T@ %h\n' 2>/dev/null | sort -n |
    while read -r _ folder; do
      [[ $folder == *.half || $folder == *.gone ]] || printf '%s %s\n' "${folder##*/}" "$(<"$folder/bytes")"
    done
}

# keep_bound BYTES: removes the saves that were not used for longest until the rest is within the bound, but never this one.
keep_bound() {
  local name bytes total=0 saves
  saves=$(saves_by_use)
  while read -r _ bytes; do
    ((total += ${bytes:-0})) || true
  done <<<"$saves"
  while read -r name bytes && ((total > $1)); do
    [[ $name != "$save_name" ]] || continue
    remove_save "$name"
    [[ -d $lab_saves/$name ]] || ((total -= bytes)) || true
  done <<<"$saves"
}
