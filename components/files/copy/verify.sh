# Every path is there, and no file's owner is unknown here.
# shellcheck shell=bash
verify_step() {
  local path
  for path in "${COPY[@]}"; do
    [[ -e $path ]] || die "$path: should be on new after the copy"
    [[ -z $(find "$path" \( -nouser -o -nogroup \) -print -quit) ]] || die "$path: $(find "$path" \( -nouser -o -nogroup \) -print -quit) belongs to a user or group that new does not know"
  done
}
