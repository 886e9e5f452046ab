# The lab's network: a namespace with a bridge, so its addresses meet no others on this machine. Sourced, never run.
# shellcheck shell=bash disable=SC2154 # name_lab in common.sh sets the names of the lab.

# has_network: true when the namespace is there and complete.
has_network() {
  in_lab ip -brief address show dev "$LAB_BRIDGE" up 2>/dev/null | grep -qF "$LAB_NETWORK.1/24"
}

# make_network: the namespace, its loopback and its bridge.
make_network() {
  remove_network
  # `ip netns add` would leave a mount of /run/netns on itself behind.
  mkdir -p /run/netns
  : >"/run/netns/$lab_netns"
  unshare --net="/run/netns/$lab_netns" true
  in_lab ip link set lo up
  in_lab ip link add "$LAB_BRIDGE" type bridge
  in_lab ip address add "$LAB_NETWORK.1/24" dev "$LAB_BRIDGE"
  in_lab ip link set "$LAB_BRIDGE" up
  # Whatever is not in the lab answers "unreachable" at once, instead of by a time-out.
  in_lab ip route add unreachable default
  in_lab sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
}

# remove_network: ends what still runs in the namespace, then the namespace.
remove_network() {
  [[ -e /run/netns/$lab_netns ]] || return 0
  end_guests TERM 5 || end_guests KILL 5 || fail "network $lab_netns: processes in it do not end: $(guests | paste -sd' ')"
  umount --lazy "/run/netns/$lab_netns" 2>/dev/null || true
  rm -f "/run/netns/$lab_netns"
}

# guests: prints the ids of processes in the namespace, but not this one and those that started it.
guests() {
  local pid=$BASHPID parents=" "
  while ((pid > 1)); do
    parents+="$pid "
    pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")
  done
  for pid in $(ip netns pids "$lab_netns" 2>/dev/null); do
    [[ $parents == *" $pid "* ]] || printf '%s\n' "$pid"
  done
}

# end_guests SIGNAL SECONDS: sends the signal and waits until none is left.
end_guests() {
  local pid
  for pid in $(guests); do
    kill -"$1" "$pid" 2>/dev/null || true
  done
  wait_for "$2" "processes in $lab_netns to end" no_guests
}

# no_guests: true when the namespace is empty; prints who is left.
no_guests() {
  local left
  left=$(guests | paste -sd' ')
  printf '%s' "$left"
  [[ -z $left ]]
}
