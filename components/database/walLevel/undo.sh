# The setting as it was, by a restart behind a hold again, where do has changed it.
# shellcheck shell=bash
undo_step() {
  stop_work restart
  drop_half_copy
  [[ -e $STATE/started.restart ]] || return 0
  follow_work restart-back
}

# A copy that was interrupted is no resource yet, so nothing else removes it. With its slot old's PostgreSQL would not start.
drop_half_copy() {
  local step=$ROOT/database-follow
  [[ -e $step/begun && ! -e $step/done ]] || return 0
  note "removing the copy of an interrupted run"
  bash "$step/script" part-undo >&3
  rm -rf "$step"
}
