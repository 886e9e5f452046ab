# Brings what changed on old since the first copy; restarts the web units where the code changed.
# shellcheck shell=bash
do_step() {
  local index
  local -a keep=()
  : >"$STATE/changed"
  for index in "${!COPY[@]}"; do
    keep=()
    [[ $ENDPOINT_FILE != "${COPY[$index]}"/* ]] || keep=("--exclude=${ENDPOINT_FILE#"${COPY[$index]}"}")
    [[ $ENDPOINT_FILE != "${COPY[$index]}" ]] || continue
    [[ ! -d ${COPY[$index]}/hooks ]] || keep+=(--exclude=/hooks/pre-receive)
    ((index < ${#FILES[@]})) || keep+=(--exclude=__pycache__/)
    pull_path "$index" --delete "${keep[@]}" --itemize-changes >"$STATE/changes"
    ((index < ${#FILES[@]})) || grep -E '^[<>ch*]' "$STATE/changes" >>"$STATE/changed" || true
  done
  note "caught up: $(wc -l <"$STATE/changed") changes in the code since the first copy"
  [[ -s $STATE/changed ]] || return 0
  restart_running "${WEB[@]}"
}
