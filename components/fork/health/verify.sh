# It answers still.
# shellcheck shell=bash
verify_step() {
  local index
  for index in "${!CHECK_PATHS[@]}"; do
    check_passes "$index" || die "the copy: should answer ${CHECK_PATHS[$index]} at $WEB_HOST with ${CHECK_STATUS[$index]} and the text '${CHECK_MARKERS[$index]}'"
  done
}
