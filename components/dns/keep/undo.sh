# The records are what they were: what is kept here goes with the step.
# shellcheck shell=bash
undo_step() {
  :
}
