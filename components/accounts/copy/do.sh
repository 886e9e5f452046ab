# Makes the users and groups that own the site, with old's numbers where they are free. Each is noted ahead: a run that is killed
# between the two must not forget it.
# shellcheck shell=bash
# Removes what a killed run has half made: a user without a line in shadow could not even run its cron jobs.
remove_half_made() {
  local kind name _
  tac "$STATE/made" | while read -r kind name _; do
    case $kind in
      user) ! lacks_line shadow "$name" || remove_user "$name" ;;
      group) ! lacks_line gshadow "$name" || remove_group "$name" ;;
    esac
  done
}

# Adds a group from a line of old's group file, unless there is one of that name.
add_group() {
  local name gid
  IFS=: read -r name _ gid _ <<<"$1"
  getent group -- "$name" >/dev/null && return
  printf 'group %s\n' "$name" >>"$STATE/made"
  if getent group -- "$gid" >/dev/null; then groupadd --system -- "$name"; else groupadd --gid "$gid" -- "$name"; fi
}

# Adds a user from a line of old's passwd file, unless there is one of that name.
add_user() {
  local name uid gid home shell gecos
  local -a number=()
  IFS=: read -r name _ uid gid gecos home shell <<<"$1"
  getent passwd -- "$name" >/dev/null && return
  getent passwd -- "$uid" >/dev/null || number=(--uid "$uid")
  [[ -x $shell ]] || shell=/usr/sbin/nologin
  printf 'user %s\n' "$name" >>"$STATE/made"
  useradd --system "${number[@]}" --gid "$2" --no-create-home --home-dir "$home" --shell "$shell" --comment "$gecos" -- "$name"
}

# Puts a user into the groups it is in on old, as far as they are here; once more where a run that was killed may have half done it.
join_groups() {
  local user=$1 group
  for group in $2; do
    getent group -- "$group" >/dev/null || continue
    ! grep -qxF -- "member $user $group" "$STATE/made" && id -nG -- "$user" | tr ' ' '\n' | grep -qxF -- "$group" && continue
    printf 'member %s %s\n' "$user" "$group" >>"$STATE/made"
    gpasswd --add "$user" "$group"
  done
}

# shellcheck disable=SC2094 # the file is only read
do_step() {
  local kind line primary
  touch "$STATE/made"
  remove_half_made
  gate accounts >"$STATE/accounts"
  while IFS=: read -r kind line; do [[ $kind != group ]] || add_group "$line"; done <"$STATE/accounts"
  while IFS=: read -r kind line; do
    [[ $kind == passwd ]] || continue
    primary=$(sed -n "s/^member:${line%%:*}://p" "$STATE/accounts" | cut -d ' ' -f 1)
    add_user "$line" "$primary"
  done <"$STATE/accounts"
  while IFS=: read -r kind line; do [[ $kind != member ]] || join_groups "${line%%:*}" "${line#*:}"; done <"$STATE/accounts"
}
