# The key is gone.
# shellcheck shell=bash
verify_step() {
  [[ ! -e $ROOT/access-key/key ]] || die "$ROOT/access-key/key: should be gone"
}
