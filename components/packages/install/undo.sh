# Removes what came with this move and nothing else, whatever the settings say by now.
# shellcheck shell=bash
undo_step() {
  stop_work work
  [[ ! -e $STATE/started.work ]] || end_work work
  [[ -e $STATE/ours ]] || return 0
  wait_until "$((DEADLINE / 2))" "dpkg on new is free" remove_ours
  systemctl daemon-reload
  [[ ! -e $STATE/accounts ]] || remove_accounts
}

# Takes every package of this move, or with 'half' those that are not wholly installed, back to the state it had; false while
# another program holds dpkg's lock.
remove_ours() {
  local name had now
  local -a installed=() purged=()
  while read -r name had; do
    now=$(state_of "$name")
    [[ ${1:-} != half || $now != ?i ]] || continue
    [[ ${now:1:1} != [^nc] ]] || installed+=("$name")
    [[ ${now:1:1} != [^n] || $had == ?c ]] || purged+=("$name")
  done <"$STATE/ours"
  export DEBIAN_FRONTEND=noninteractive
  ((${#installed[@]} == 0)) || take_out --remove "${installed[@]}" || return 1
  ((${#purged[@]} == 0)) || take_out --purge "${purged[@]}"
}

# Removes or purges packages, all or none; dpkg, unlike apt-get, never takes along what others have installed since.
take_out() {
  local errors=$STATE/dpkg.errors
  {
    dpkg --no-act --force-remove-reinstreq "$@" && dpkg --force-remove-reinstreq "$@"
  } 2>"$errors" && return
  cat "$errors" >&2
  ! grep -qE '(is|was) locked by' "$errors" || return 1
  die "the packages that came with this move should go, but dpkg says: $(grep -m 1 -F 'depends on' "$errors" || head -n 1 "$errors"); remove on new what needs them, then run 'pulumi up' again"
}

# Removes the users and groups that scripts of the packages had made and left behind.
remove_accounts() {
  local kind name
  while read -r kind name; do
    case $kind in
      user) ! getent passwd -- "$name" >/dev/null || userdel -- "$name" ;;
      group) ! getent group -- "$name" >/dev/null || groupdel -- "$name" ;;
    esac
  done < <(LC_ALL=C sort -ur "$STATE/accounts")
}
