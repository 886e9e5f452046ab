# Asks old and new for the same pages, each from inside, until they answer the same.
# shellcheck shell=bash
# What a digest says, for people: told DIGEST
told() {
  local status redirect title found
  IFS=$'\x1f' read -r status redirect title found <<<"${1//$'\t'/$'\x1f'}"
  [[ -n $status ]] || status='no answer'
  printf '%s%s, title "%s"%s' "$status" "${redirect:+ to $redirect}" "$title" "$([[ $found == yes ]] || printf ', without the marker')"
}

# True when both answer the same; keeps the difference, or who gave no answer: same_page NUMBER
same_page() {
  local path=${COMPARE_PATHS[$1]} marker=${COMPARE_MARKERS[$1]} old new
  rm -f "$STATE/difference" "$STATE/unanswered"
  old=$(gate page "$path" "$(printf '%s' "$marker" | base64 -w 0)") || {
    printf '%s on old (%s)\n' "$path" "$(tail -n 1 "$LOG" | cut -c 1-150)" >"$STATE/unanswered"
    return 1
  }
  new=$(page_digest "$path" "$marker") || {
    printf '%s on new (no whole answer came within %s s)\n' "$path" "${PAGE_TIMEOUT:-10}" >"$STATE/unanswered"
    return 1
  }
  printf '%s: old answers %s; new answers %s\n' "$path" "$(told "$old")" "$(told "$new")" >"$STATE/difference"
  [[ $old == "$new" ]]
}

do_step() {
  local index end=$((SECONDS + 15)) left
  local -a different=() unanswered=()
  for index in "${!COMPARE_PATHS[@]}"; do
    left=$((end - SECONDS))
    retry_for "$((left > 0 ? left : 0))" same_page "$index" && continue
    if [[ -e $STATE/unanswered ]]; then unanswered+=("$(cat "$STATE/unanswered")"); else different+=("$(cat "$STATE/difference")"); fi
  done
  for index in "${different[@]}"; do note "$index"; done
  for index in "${unanswered[@]}"; do note "could not be found out: $index"; done
  ((${#different[@]} == 0)) ||
    die "${#different[@]} of ${#COMPARE_PATHS[@]} pages should be the same on old and new, but ${COMPARE_PATHS[0]:+$(cut -d : -f 1 <<<"${different[0]}")} and the others above are not: mend the app on new, or name other pages in changeover:site.compare, and run again. Users are served by old as before"
  ((${#unanswered[@]} == 0)) ||
    undecided "whether ${#unanswered[@]} of ${#COMPARE_PATHS[@]} pages are the same on old and new could not be found out within 15 s: ${unanswered[0]}$(busy); see what loads that server, and run again. Users are served by old as before"
}
