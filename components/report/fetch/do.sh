# Brings old's journal over.
# shellcheck shell=bash
do_step() {
  keep journal gate journal
}
