# The list of what changed is there.
# shellcheck shell=bash
verify_step() {
  [[ -e $STATE/changed ]] || die "$STATE/changed: should list what the catch-up brought"
}
