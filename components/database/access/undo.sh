# Takes the move's rules out.
# shellcheck shell=bash
undo_step() {
  close_database
}
