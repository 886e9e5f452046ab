# New goes on serving whom a resolver leads there: there is nothing to do but on the way back.
# shellcheck shell=bash
do_step() {
  :
}
