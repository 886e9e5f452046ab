# Lets new's key in, from new's address only, for the gate's fixed list of requests only.
# shellcheck shell=bash
do_step() {
  local file
  file=$(keys_file)
  printf '%s' "$GATE" >"$STATE/gate"
  chmod 700 "$STATE/gate"
  save_path "$file"
  if [[ ! -d $(dirname "$file") ]]; then
    make_dir "$(dirname "$file")"
    chown "$OLD_USER:" "$(dirname "$file")"
    chmod 700 "$(dirname "$file")"
  fi
  [[ -e $file ]] || install -m 600 -o "$OLD_USER" /dev/null "$file"
  {
    grep -v " changeover-$MOVE\$" "$file" || true
    key_line
  } | replace_file "$file"
}
