# Asks old and new for the same pages, each from inside, until they answer the same.
# shellcheck shell=bash
# What a digest says, for people: told DIGEST
told() {
  local status redirect title found
  IFS=$'\x1f' read -r status redirect title found <<<"${1//$'\t'/$'\x1f'}"
  [[ -n $status ]] || status='no answer'
  printf '%s%s, title "%s"%s' "$status" "${redirect:+ to $redirect}" "$title" "$([[ $found == yes ]] || printf ', without the marker')"
}

# True when both answer the same; keeps the difference: same_page NUMBER
same_page() {
  local path=${COMPARE_PATHS[$1]} marker=${COMPARE_MARKERS[$1]} old new
  old=$(gate page "$path" "$(printf '%s' "$marker" | base64 -w 0)")
  new=$(page_digest "$path" "$marker")
  printf '%s: old answers %s; new answers %s\n' "$path" "$(told "$old")" "$(told "$new")" >"$STATE/difference"
  [[ $old == "$new" ]]
}

do_step() {
  local index end=$((SECONDS + 15)) left
  local -a different=()
  for index in "${!COMPARE_PATHS[@]}"; do
    left=$((end - SECONDS))
    retry_for "$((left > 0 ? left : 0))" same_page "$index" || different+=("$(cat "$STATE/difference")")
  done
  ((${#different[@]} > 0)) || return 0
  for index in "${different[@]}"; do note "$index"; done
  die "${#different[@]} of ${#COMPARE_PATHS[@]} pages should be the same on old and new, but ${COMPARE_PATHS[0]:+$(cut -d : -f 1 <<<"${different[0]}")} and the others above are not: mend the app on new, or name other pages in changeover:site.compare, and run again. Users are served by old as before"
}
