# Every path is there, and no file's owner is unknown here.
# shellcheck shell=bash
verify_step() {
  local path stranger
  for path in "${COPY[@]}"; do
    [[ -e $path ]] || die "$path: should be on new after the copy"
    stranger=$(while_written find "$path" \( -nouser -o -nogroup \) -print -quit)
    [[ -z $stranger ]] || die "$path: $stranger belongs to a user or group that new does not know"
  done
}
