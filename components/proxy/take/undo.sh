# Old serves the site itself again; requests that wait on new are answered by old, and the users' files come back.
# shellcheck shell=bash

# Requests wait while old takes over again, with everything that users have changed on new.
return_traffic() {
  push_users_files
  hold
  trap 'release; undo_failed 1' EXIT
  push_users_files
  remove_users_files
  : >"$STATE/returning"
  gate pass-off
  release_through_old
  trap 'undo_failed $?' EXIT
  drain_nginx 10
}

# Where users were never led to new, its files are no newer than old's, and nothing goes back.
undo_step() {
  passing || [[ -e $STATE/returning ]] || return 0
  if passing; then return_traffic; else gate pass-off; fi
  push_users_files
  stop_passing_back
}
