# Removes the unit files again.
# shellcheck shell=bash
undo_step() {
  restore_saved
  systemctl daemon-reload
}
