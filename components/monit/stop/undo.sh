# monit on old watches the site again.
# shellcheck shell=bash
undo_step() {
  restore_saved
  monit_reread
}
