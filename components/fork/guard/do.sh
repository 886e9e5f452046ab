# Installs the guard, and makes the key by which the copy will be known.
# shellcheck shell=bash
do_step() {
  local unit here
  local -a units
  mapfile -t units < <(job_units)
  make_host_key
  printf '%s\n' "$GUARD" >"$STATE/guard.functions"
  # shellcheck source=/dev/null
  here=$(source "$STATE/guard.functions" && identity)
  [[ -n $here ]] || die "old: should tell its copies from itself by /sys/class/dmi/id/board_asset_tag or product_uuid, but both are empty: jobs on the copy could not be kept off. Is it an EC2 instance?"
  [[ $here != i-* || $here == "$OLD_INSTANCE" ]] || die "changeover:old.address: should be the instance of changeover:aws.old ($OLD_INSTANCE), but is $here"
  {
    printf 'set -Eeuo pipefail\nSTATE=%q IDENTITY=%q NAME=%q\n' "$STATE" "$here" "$COPY_NAME"
    cat "$STATE/guard.functions"
    printf 'guard\n'
  } >"$STATE/guard"
  for unit in "${units[@]}"; do
    make_dir "$(dirname -- "$(guard_drop_in "$unit")")"
    printf '[Unit]\nConditionPathExists=!%s/copy\n' "$STATE" | replace_file "$(guard_drop_in "$unit")"
  done
  replace_file "$GUARD_FILE" <<UNIT
[Unit]
Description=changeover: on a copy of this machine, keeps jobs off and makes it one of its own (move $MOVE)
DefaultDependencies=no
RequiresMountsFor=/etc /var
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target cloud-init-local.service dbus.service ssh.service sshd.service systemd-networkd.service NetworkManager.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash $STATE/guard
UNIT
  make_dir "$(dirname -- "$GUARD_WANTS")"
  ln -sfn "$GUARD_FILE" "$GUARD_WANTS"
  systemctl daemon-reload
  result forkHostKey "$(cut -d ' ' -f 1,2 "$STATE/host-key.pub")"
  # What a snapshot holds is what is on the disk.
  sync
}

make_host_key() {
  [[ ! -e $STATE/host-key.pub ]] || return 0
  rm -f -- "$STATE/host-key"
  ssh-keygen -q -t ed25519 -N '' -C "$COPY_NAME" -f "$STATE/host-key"
}
