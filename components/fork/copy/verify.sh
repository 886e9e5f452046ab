# It has an id, a name and a host key of its own.
# shellcheck shell=bash
verify_step() {
  [[ $(cat /etc/machine-id) == "$(cat "$GUARD_STATE/own")" ]] || die "/etc/machine-id: should be the copy's own"
  [[ $(cat /etc/hostname) == "$COPY_NAME" ]] || die "/etc/hostname: should be $COPY_NAME"
  [[ $(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub) == "$(cut -d ' ' -f 1,2 "$GUARD_STATE/host-key.pub")" ]] || die "/etc/ssh/ssh_host_ed25519_key: should be the one that is pinned"
}
