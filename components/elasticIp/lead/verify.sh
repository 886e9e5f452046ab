# Where it leads is known to AWS alone: preview and check ask there.
# shellcheck shell=bash
verify_step() {
  :
}
