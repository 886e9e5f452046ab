# The key's line is there once.
# shellcheck shell=bash
verify_step() {
  [[ $(grep -c " changeover-$MOVE\$" "$(keys_file)") == 1 ]] || die "$(keys_file): should hold one key named changeover-$MOVE"
  bash -n "$STATE/gate"
}
