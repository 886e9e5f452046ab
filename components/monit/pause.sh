# monit on new watches nothing of the site for a while, and then again; what monit.sh and files.sh have is used here.
# shellcheck shell=bash

monit_off() {
  local file
  ((${#MONIT[@]} > 0)) || return 0
  mkdir -p "$STATE/monit"
  while IFS= read -r file; do
    mkdir -p "$STATE/monit$(dirname "$file")"
    mv -- "$file" "$STATE/monit$file"
  done < <(monit_files)
  monit_reread
}

monit_on() {
  local file
  [[ -d $STATE/monit ]] || return 0
  while IFS= read -r file; do mv -- "$file" "${file#"$STATE/monit"}"; done < <(find "$STATE/monit" ! -type d)
  rm -rf "$STATE/monit"
  monit_reread
}
