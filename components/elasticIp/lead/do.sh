# The address leads to new: it was led there ahead of this, from the operator's machine.
# shellcheck shell=bash
do_step() {
  :
}
