# There is no way back from here.
# shellcheck shell=bash
undo_step() {
  die "the move is finished: there is no way back. Start a new move in the other direction"
}
