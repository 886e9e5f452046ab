# There is no way back from here.
# shellcheck shell=bash
undo_step() {
  die "the move is finished: old no longer has the site's state. Start a new move in the other direction"
}
