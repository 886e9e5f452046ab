# Makes the key with which new reaches old's gate, and pins old's host key.
# shellcheck shell=bash
do_step() {
  [[ -e $STATE/key ]] || ssh-keygen -q -t ed25519 -N '' -C "changeover-$MOVE" -f "$STATE/key"
  local host=$OLD_ADDRESS
  [[ $OLD_PORT == 22 ]] || host="[$OLD_ADDRESS]:$OLD_PORT"
  printf '%s %s\n' "$host" "$OLD_HOST_KEY" >"$STATE/known_hosts"
  {
    printf '#!/bin/sh\n# Reaches the gate on old with the key of this move.\n'
    printf 'exec ssh -F none -i %q -p %q -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none' "$STATE/key" "$OLD_PORT"
    printf ' -o StrictHostKeyChecking=yes -o UserKnownHostsFile=%q -o LogLevel=ERROR' "$STATE/known_hosts"
    printf ' -o ControlMaster=auto -o ControlPersist=10 -o ControlPath=%q' "/run/changeover-$MOVE-"
    # shellcheck disable=SC2016 # expands in the file that is written
    printf '"${GATE_SESSION:-$PPID}" -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 "$@"\n'
  } >"$STATE/ssh"
  chmod 700 "$STATE/ssh"
  result publicKey "$(cut -d ' ' -f 1,2 "$STATE/key.pub")"
}
