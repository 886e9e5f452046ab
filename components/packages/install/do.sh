# Installs the packages that are missing, as a unit that outlives this connection. Every package that comes, dependencies too,
# is remembered before dpkg starts, with the state it had; those that were there are left alone.
# shellcheck shell=bash
# The unit's work. No recommended packages: what comes is what the settings name and what that cannot do without; a server should
# get nothing that nobody chose, and what the site misses shows in its checks, while old serves users.
unit_work() {
  local name limit=$((DEADLINE * 4 / 5)) ended=0
  local -a wanted
  mapfile -t wanted < <(missing)
  export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1
  for name in "${wanted[@]}"; do
    known "$name" || failure "package $name: apt on new should know it, but does not; on new: apt-get update; or correct changeover:site.packages"
  done
  # What a killed run left half-way goes first: to configure it here, outside of apt, would start its services.
  [[ ! -e $STATE/ours ]] || wait_until "$((DEADLINE / 2))" "dpkg on new is free" remove_ours half
  timeout --kill-after=15 "$limit" apt-get --yes --no-install-recommends --no-remove --fix-broken \
    -o DPkg::Lock::Timeout="$((DEADLINE / 2))" -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o DPkg::Pre-Install-Pkgs::="/bin/bash $STATE/script.work plan" -o DPkg::Tools::Options::/bin/bash::Version=2 \
    -o APT::Status-Fd=4 install -- "${wanted[@]}" > >(show_progress) 4> >(show_progress) || ended=$?
  ((ended != 124)) || failure "apt-get did not end within $limit seconds$(busy): see what holds it up in $LOG, or raise changeover:stepDeadline"
  ((ended == 0)) || failure "apt-get could not install ${wanted[*]}: $(grep --text -E '^(E|dpkg): ' "$LOG" | tail -n 1 | cut -c 1-300)"
}

# True when apt knows a package of exactly that name: apt-get takes a name that it does not know for a pattern.
known() {
  [[ $'\n'$(apt-cache policy -- "$1" 2>/dev/null) == *$'\n'"$1:"$'\n'* ]]
}

# Turns apt's status lines, and that it waits for dpkg's lock, into lines of progress; the rest goes to the log.
show_progress() {
  local line told=""
  while IFS= read -r line; do
    if [[ $line =~ ^(dl|pm)status:.*:([0-9]+)[0-9.]*:(.*)$ ]]; then
      progress "${BASH_REMATCH[2]} %: ${BASH_REMATCH[3]}"
    else
      printf '%s\n' "$line"
      [[ $line != Waiting* || $line == "$told" ]] || progress "$line"
      told=$line
    fi
  done
}

# apt runs this under dpkg's lock ahead of the first change, with its plan on stdin: NAME, version here, <, version to come.
unit_plan() {
  local name here new unit
  touch "$STATE/ours"
  sed '1,/^$/d' >"$STATE/plan"
  cp "$STATE/ours" "$STATE/ours.part"
  while read -r name here _ new _; do
    ! cut -d ' ' -f 1 "$STATE/ours.part" | grep -qxF -- "$name" || continue
    [[ $here == - || $here == "$new" ]] ||
      failure "package $name: was on new before the move and should stay as it is, but would go from $here to $new, which no way back could undo; do that yourself first, on new: apt-get install $name"
    [[ $here != - ]] || printf '%s %s\n' "$name" "$(state_of "$name")" >>"$STATE/ours.part"
  done <"$STATE/plan"
  mv "$STATE/ours.part" "$STATE/ours"
  keep_first accounts.before accounts_here
  for unit in "${WEB[@]}" "${JOBS[@]}"; do save_unit "$unit"; done
  deny_starts
}

# However the work ended: services may start again; then the one who follows is told.
unit_work_ended() {
  restore_saved
  stay_off
  keep_accounts
  tell_end work "$SERVICE_RESULT"
}

do_step() {
  printf '%s\n' "${PACKAGES[@]}" | sed '/^$/d' >"$STATE/wanted"
  [[ -z $(missing) && ! -e $STATE/started.work ]] || follow_work work
}
