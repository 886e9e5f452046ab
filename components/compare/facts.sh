# The pages of this server, for the comparison, once the site stands on both and before old passes requests on. MOVE, SIDE,
# COMPARE_PATHS and COMPARE_MARKERS are set above; asking them takes at most 10 seconds.
# shellcheck shell=bash

# True when both serve the site themselves.
both_serve() {
  local root=/var/lib/changeover/$MOVE
  if [[ $SIDE == old ]]; then
    [[ -e $root/access-gate/done && ! -e $root/access-gate/nginx.path ]]
  else
    [[ -e $root/web-start/done && ! -e $root/traffic/done ]]
  fi
}

page_facts() {
  local index digest end=$((SECONDS + 8))
  both_serve || return 0
  for index in "${!COMPARE_PATHS[@]}"; do
    if ((SECONDS >= end)); then
      fact "unknown.page.$index" "it was not asked, for the pages before it took 8 s$(busy)"
    elif digest=$(PAGE_TIMEOUT=2 page_digest "${COMPARE_PATHS[$index]}" "${COMPARE_MARKERS[$index]}" 2>/dev/null); then
      fact "page.$index" "$digest"
    else
      fact "unknown.page.$index" "no whole answer came within 2 s$(busy)"
    fi
  done
}
