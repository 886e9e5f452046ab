# While the names lead to new, no way back is under way.
# shellcheck shell=bash
verify_step() {
  [[ ! -e $ROOT/dns-lead/done || ! -e $ROOT/led-until ]] ||
    die "$ROOT/led-until: should not be there while the names lead to new: run 'pulumi up' again"
}
