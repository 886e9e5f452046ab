# Old serves the site itself again; requests that wait on new are answered by old, and the users' files come back.
# shellcheck shell=bash
# The unit's work: old takes over with everything that users have changed on new. What new had begun before comes last.
unit_return() {
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  rm -rf "$STATE/decided"
  if passing; then
    return_traffic
    drain_nginx 10
  fi
  push_users_files
}

# Up to `decide`, anything that goes wrong leaves users on new.
return_traffic() {
  push_users_files
  progress "old takes over again; requests wait"
  watch_budget &
  hold
  push_users_files
  remove_users_files
  decide return
  gate pass-off
  release_to_old
}

# After it, however it ended: users are on old, or on new as before. Where old cannot be asked to serve, they stay on new.
unit_return_ended() {
  local ended=$SERVICE_RESULT
  set +e
  trap - ERR
  if still_held; then
    if [[ -e $STATE/decided/return ]] && gate pass-off; then
      release_to_old
    else
      progress "users are served by new as before"
      release_to_new
    fi
  fi
  tell_end return "$ended"
}

# Where users were never led to new, its files are no newer than old's, and nothing goes back.
undo_step() {
  stop_work take
  passing || [[ -e $STATE/started.return ]] || return 0
  follow_work return
}
