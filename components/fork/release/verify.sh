# Every command has ended with 0.
# shellcheck shell=bash
verify_step() {
  [[ $(released) == "${#COMMANDS[@]}" ]] || die "the release: should have run all of its ${#COMMANDS[@]} commands, but ran $(released)"
}
