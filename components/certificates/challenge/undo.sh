# Takes out what was added and nothing else: what somebody has changed in the file meanwhile stays.
# shellcheck shell=bash
undo_step() {
  local file text
  [[ -e $STATE/file ]] || return 0
  file=$(cat "$STATE/file")
  if [[ -e $file ]]; then
    text=$(cat "$file" && printf .)
    text=${text//$'\n'"  $(include_line)"/}
    printf '%s' "${text%.}" | replace_file "$file"
  fi
  rm -f "/etc/nginx/changeover/$MOVE-acme.conf"
  remove_made_dirs
  reload_nginx
}
