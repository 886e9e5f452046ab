# It answers still.
# shellcheck shell=bash
verify_step() {
  local index status
  for index in "${!CHECK_PATHS[@]}"; do
    status=0
    check_passes "$index" || status=$?
    ((status != 3)) || undecided "the copy: what it answers to ${CHECK_PATHS[$index]} at $WEB_HOST could not be found out: no answer came within 10 s$(busy)"
    ((status == 0)) || die "the copy: should answer ${CHECK_PATHS[$index]} at $WEB_HOST with ${CHECK_STATUS[$index]} and the text '${CHECK_MARKERS[$index]}'"
  done
}
