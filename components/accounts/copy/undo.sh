# Removes the users and groups that do made, newest first.
# shellcheck shell=bash
undo_step() {
  local kind name group
  [[ -e $STATE/made ]] || return 0
  tac "$STATE/made" | while read -r kind name group; do
    case $kind in
      member) ! getent group -- "$group" >/dev/null || gpasswd --delete "$name" "$group" || true ;;
      user) ! getent passwd -- "$name" >/dev/null || userdel -- "$name" ;;
      group) ! getent group -- "$name" >/dev/null || groupdel -- "$name" ;;
    esac
  done
}
