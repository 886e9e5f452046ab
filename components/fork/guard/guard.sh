# Runs at every boot, ahead of all services, with the settings of its own above it: STATE, IDENTITY (of the machine it was installed on), NAME. There it does
# nothing. On a copy it says so in $STATE/copy, which keeps jobs and cron off, and gives the copy a machine-id, host keys and a name of its own.
# shellcheck shell=bash

# What tells this machine from its copies; nothing where it cannot be read.
identity() {
  local file value
  for file in /sys/class/dmi/id/board_asset_tag /sys/class/dmi/id/product_uuid /sys/hypervisor/uuid; do
    value=$(cat "$file" 2>/dev/null) || continue
    [[ $file != */board_asset_tag || $value == i-* ]] || continue
    [[ -z $value ]] || {
      printf '%s' "$value"
      return
    }
  done
}

own_machine_id() {
  tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id.changeover
  chmod 444 /etc/machine-id.changeover
  mv /etc/machine-id.changeover /etc/machine-id
  [[ ! -f /var/lib/dbus/machine-id || -L /var/lib/dbus/machine-id ]] || cp /etc/machine-id /var/lib/dbus/machine-id
  rm -f /var/lib/systemd/random-seed
}

# The key that was pinned beforehand, and new ones of the other kinds.
own_host_keys() {
  rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
  install -m 600 "$STATE/host-key" /etc/ssh/ssh_host_ed25519_key
  install -m 644 "$STATE/host-key.pub" /etc/ssh/ssh_host_ed25519_key.pub
  ssh-keygen -A
}

own_name() {
  local before
  before=$(cat /etc/hostname)
  printf '%s\n' "$NAME" >/etc/hostname
  # The kernel's own file cannot be written in a container.
  { printf '%s' "$NAME" >/proc/sys/kernel/hostname; } 2>/dev/null || hostname "$NAME"
  awk -v before="${before%%.*}" -v name="$NAME" '!/^#/ { for (i = 2; i <= NF; i++) if ($i == before) $i = name; else if (index($i, before ".") == 1) $i = name substr($i, length(before) + 1) } 1' \
    /etc/hosts >/etc/hosts.changeover
  cat /etc/hosts.changeover >/etc/hosts
  rm /etc/hosts.changeover
}

# cloud-init takes a copy for a machine that was never set up: what it did once (users, host keys, user data's scripts) it would do again.
own_cloud_init() {
  local here was
  here=$(identity)
  [[ -d /etc/cloud/cloud.cfg.d ]] || return 0
  printf 'preserve_hostname: true\nssh_deletekeys: false\n' >/etc/cloud/cloud.cfg.d/99-changeover-fork.cfg
  was=$(readlink -f /var/lib/cloud/instance) || return 0
  [[ $here == i-* && -d $was/sem && $was != */"$here" ]] || return 0
  mkdir -p "/var/lib/cloud/instances/$here/sem"
  find "$was/sem" -name 'config_*' -exec cp -a -t "/var/lib/cloud/instances/$here/sem" {} +
}

guard() {
  [[ $(identity) != "$IDENTITY" && ! -e $STATE/own ]] || return 0
  # First of all: should the rest fail, no job runs twice.
  : >"$STATE/copy"
  own_machine_id
  own_host_keys
  own_name
  own_cloud_init
  cat /etc/machine-id >"$STATE/own"
}
