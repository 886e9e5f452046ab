# Opens deploys again.
# shellcheck shell=bash
undo_step() {
  open_deploys
}
