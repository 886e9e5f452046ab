# A cache fills by itself.
# shellcheck shell=bash
undo_step() {
  rm -f "$STATE/cleared"
}
