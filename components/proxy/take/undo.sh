# Old serves the site itself again; requests that wait on new are answered by old, and the users' files come back.
# shellcheck shell=bash
undo_step() {
  local conf
  conf=$(include_dir)/pass-back.conf
  if [[ -e $STATE/passed-off ]]; then
    push_users_files
    return
  fi
  push_users_files
  trap 'release; undo_failed 1' EXIT
  hold
  push_users_files
  gate pass-off
  : >"$STATE/passed-off"
  pass_back >"$conf"
  reload_nginx
  release
  trap 'undo_failed $?' EXIT
  drain_nginx 3
  push_users_files
  rm -f "$conf"
  reload_nginx
}
