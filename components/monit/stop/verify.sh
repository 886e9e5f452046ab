# No file is left.
# shellcheck shell=bash
verify_step() {
  [[ -z $(monit_files) ]] || die "$(monit_files): should be gone from $SIDE"
}
