# What was written is counted on the way back alone.
# shellcheck shell=bash
verify_step() {
  :
}
