# The key is there and only root reads it.
# shellcheck shell=bash
verify_step() {
  [[ $(stat -c '%U %a' "$STATE/key") == 'root 600' ]] || die "$STATE/key: should be root's with mode 600, but is $(stat -c '%U %a' "$STATE/key" 2>&1)"
}
