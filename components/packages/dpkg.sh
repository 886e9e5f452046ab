# What the parts of the step share: dpkg's states, services that must not start, accounts that packages make.
# shellcheck shell=bash
# A package's state in two letters, as dpkg -l shows it; nothing where dpkg never knew it.
state_of() {
  # shellcheck disable=SC2016 # dpkg-query expands it
  dpkg-query --show --showformat='${db:Status-Abbrev}\n' -- "$1" 2>/dev/null | cut -c 1-2 || true
}

# The packages of the settings that are not installed, one a line.
missing() {
  local name
  for name in "${PACKAGES[@]}"; do
    [[ $(state_of "$name") == ?i ]] || printf '%s\n' "$name"
  done
}

# Keeps the scripts of packages from starting services; called under dpkg's lock, for others use that file too.
deny_starts() {
  save_path /usr/sbin/policy-rc.d
  printf '#!/bin/sh\nexit 101\n' >"$STATE/policy-rc.d"
  install -m 755 "$STATE/policy-rc.d" /usr/sbin/policy-rc.d
}

# The system's own users and groups, sorted: `user NAME`, `group NAME`.
accounts_here() {
  { getent passwd | sed 's/^/user:/' && getent group | sed 's/^/group:/'; } |
    awk -F: '$4 < 1000 { print $1, $2 }' | LC_ALL=C sort
}

# Adds to $STATE/accounts what the scripts of packages have made.
keep_accounts() {
  [[ -e $STATE/accounts.before ]] || return 0
  accounts_here | LC_ALL=C comm -13 "$STATE/accounts.before" - >>"$STATE/accounts"
  rm "$STATE/accounts.before"
}

# Units of the site that a package has switched on stay off until the move starts them, also over a reboot.
stay_off() {
  local unit enabled
  for unit in "${WEB[@]}" "${JOBS[@]}"; do
    [[ -e $STATE/unit.$unit ]] || continue
    read -r enabled _ <"$STATE/unit.$unit" || true
    [[ $enabled == enabled ]] || systemctl is-active --quiet -- "$unit" || ! systemctl is-enabled --quiet -- "$unit" 2>/dev/null ||
      systemctl disable -- "$unit"
  done
}
