# Puts the cron entries back. What was due since new has let go of them is started.
# shellcheck shell=bash
undo_step() {
  [[ ! -e $ROOT/access-gate/handed.cron ]] || mv "$ROOT/access-gate/handed.cron" "$STATE/handed.cron"
  own_cron restore_saved
}
