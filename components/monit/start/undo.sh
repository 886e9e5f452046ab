# monit on new is told first, before what it watches is stopped.
# shellcheck shell=bash
undo_step() {
  restore_saved
  monit_reread
  put_unit_back monit.service
}
