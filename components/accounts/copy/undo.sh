# Removes the users and groups that do made, newest first.
# shellcheck shell=bash
undo_step() {
  local kind name group
  [[ -e $STATE/made ]] || return 0
  tac "$STATE/made" | while read -r kind name group; do
    case $kind in
      member) ! getent group -- "$group" >/dev/null || gpasswd --delete "$name" "$group" || true ;;
      user) remove_user "$name" ;;
      group) remove_group "$name" ;;
    esac
  done
  remove_dead_locks
}

# Removes what a useradd or the like leaves in /etc when it is killed: locks that name a process that is no more, and half-written files.
remove_dead_locks() {
  local name file pid
  for name in passwd group shadow gshadow subuid subgid; do
    for file in "/etc/$name".lock "/etc/$name".[0-9]*; do
      [[ -f $file ]] || continue
      pid=$(tr -d '\0' <"$file")
      [[ ! $pid =~ ^[0-9]+$ || -e /proc/$pid ]] || rm -f -- "$file"
    done
    [[ -e /etc/$name.lock ]] || rm -f -- "/etc/$name+"
  done
}
