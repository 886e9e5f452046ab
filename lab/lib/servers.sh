# A server's disk, its start and its end. Sourced, never run.
# shellcheck shell=bash disable=SC2154 # name_lab in common.sh sets the names of the lab.

# make_keys: the lab's key for root and a host key for each server.
make_keys() {
  local role
  [[ -e $lab_state/known_hosts ]] && return
  rm -f "$lab_state"/key* "$lab_state"/host-*
  ssh-keygen -q -t ed25519 -N '' -C lab -f "$lab_state/key"
  for role in "${LAB_ROLES[@]}"; do
    ssh-keygen -q -t ed25519 -N '' -C "$role" -f "$lab_state/host-$role"
  done
  write_known_hosts
}

# write_known_hosts: by which key each server is known.
write_known_hosts() {
  local role
  for role in "${LAB_ROLES[@]}"; do
    printf '%s %s\n' "$(address_of "$role")" "$(host_key_of "$role")"
  done >"$lab_state/known_hosts.half"
  mv "$lab_state/known_hosts.half" "$lab_state/known_hosts"
}

# host_key_of ROLE: prints the server's public host key without its comment.
host_key_of() {
  cut -d' ' -f1,2 "$lab_state/host-$1.pub"
}

# make_disk ROLE: what makes the server different from its tree. A disk that is there is kept: a server that was cut off
# boots again from it.
make_disk() {
  local role=$1 disk=$lab_state/$1 half=$lab_state/$1.half other tree
  tree=$(tree_of "$role")
  if [[ -d $disk ]]; then
    [[ $(<"$disk/tree") == "$tree" ]] ||
      fail "lab $lab_name, server $role: runs another Debian release or other packages than asked for: run 'lab/up --fresh', or set another LAB_NAME"
    return
  fi
  rm -rf "$half"
  mkdir -p "$half"/{root,work,files}
  printf '%s\n' "$tree" >"$half/tree"
  local etc=$half/files/etc
  mkdir -p "$etc"/{ssh/sshd_config.d,systemd/network}
  install -D -m 600 "$lab_state/key.pub" "$half/files/root/.ssh/authorized_keys"
  chmod 700 "$half/files/root" "$half/files/root/.ssh"
  install -m 600 "$lab_state/host-$role" "$etc/ssh/ssh_host_ed25519_key"
  install -m 644 "$lab_state/host-$role.pub" "$etc/ssh/ssh_host_ed25519_key.pub"
  printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin prohibit-password\n' >"$etc/ssh/sshd_config.d/lab.conf"
  tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
  printf '%s\n' "$role" >"$etc/hostname"
  printf '# No name server here.\n' >"$etc/resolv.conf"
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$etc/hosts"
  for other in "${LAB_ROLES[@]}"; do
    printf '%s %s\n' "$(address_of "$other")" "$other" >>"$etc/hosts"
  done
  write_network "$role" "$etc/systemd/network"
  mv "$half" "$disk"
}

# write_network ROLE FOLDER: the server's address.
write_network() {
  # Sorts before 80-container-host0.network, which would ask for an address by DHCP.
  printf '[Match]\nName=host0\n\n[Network]\nAddress=%s/24\nGateway=%s.1\nIPv6AcceptRA=no\n' \
    "$(address_of "$1")" "$LAB_NETWORK" >"$2/10-lab.network"
}

# enough_inotify: true when this machine has the inotify instances left that a server's systemd takes; without them it does not boot.
enough_inotify() {
  local limit used
  limit=${LAB_INOTIFY_LIMIT:-$(</proc/sys/fs/inotify/max_user_instances)}
  used=$( (find /proc/[0-9]*/fd -lname 'anon_inode:inotify' 2>/dev/null || true) | wc -l)
  ((limit - used >= 12)) ||
    fail "this machine lets a user have $limit inotify instances (fs.inotify.max_user_instances), $used are in use, and a server needs 12: end other labs (lab/down --all), or allow more: sysctl -w fs.inotify.max_user_instances=1024"
}

# start ROLE: boots the server, detached from this shell.
start() {
  local role=$1
  enough_inotify
  end "$role" 0
  rm -f "$lab_sockets/$role"
  nsenter --net="/run/netns/$lab_netns" -- setsid unshare --mount --propagation private \
    "$LAB_LIB/machine" run "$lab_state" "$role" "$lab_netns-$role" "$lab_sockets/$role" \
    </dev/null >>"$lab_state/$role.log" 2>&1 {lock_fd}>&- &
  wait_for 10 "$role's supervisor to start" is_running "$role" ||
    fail "server $role did not start: $lab_state/$role.log says why"
}

# await_boot ROLE [READY]: waits until the server has booted. One that ended meanwhile, as after a kill just before this
# command, whose network is not all gone, boots once more.
await_boot() {
  local role=$1 ready=${2:-is_ready}
  wait_for 60 "$role to boot" "$ready" "$role" && return
  is_running "$role" || {
    say "$role has ended, booting it again"
    start "$role"
    wait_for 60 "$role to boot" "$ready" "$role" && return
  }
  fail "server $role did not boot within 60 seconds: its console is in $lab_state/$role.log; start over with 'lab/up --fresh'"
}

# is_ready ROLE: true when systemd in the server says that it has booted, failed units or not; prints what it says.
is_ready() {
  is_running "$1" || {
    tail -n 3 "$lab_state/$1.log"
    return 2
  }
  local said
  forget_dead_connection "$1"
  [[ -S $lab_sockets/$1 ]] || connect "$1" || {
    printf 'no answer by ssh'
    return 1
  }
  said=$("$LAB_LIB/../ssh" "$1" systemctl is-system-running 2>&1) || true
  printf '%s' "$said"
  [[ $said == running || $said == degraded ]]
}

# end ROLE SECONDS: asks the server's init to shut down, and takes the power away when it has not within the time.
end() {
  local role=$1 seconds=$2
  if ((seconds > 0)) && is_running "$role"; then
    kill -TERM "$(<"$lab_state/$role.pid")" 2>/dev/null || true
    wait_for "$seconds" "$role to shut down" has_ended "$role" || say "ending $role hard"
  fi
  unshare --mount --propagation private "$LAB_LIB/machine" kill "$lab_netns-$role"
}

# has_ended ROLE: true when the server's supervisor is gone; prints the server's last line.
has_ended() {
  tail -n 1 "$lab_state/$1.log"
  ! is_running "$1"
}

# describe FOLDER: prints the lab as one JSON object, with the folder of what was kept beside it where there is one.
describe() {
  local role
  printf '{"name":"%s","netns":"%s","keyFile":"%s","knownHosts":"%s"' \
    "$lab_name" "$lab_netns" "$lab_state/key" "$lab_state/known_hosts"
  for role in "${LAB_ROLES[@]}"; do
    printf ',"%s":{"address":"%s","hostKey":"%s"}' "$role" "$(address_of "$role")" "$(host_key_of "$role")"
  done
  [[ -z $1 ]] || printf ',"beside":"%s"' "$1"
  printf '}\n'
}
