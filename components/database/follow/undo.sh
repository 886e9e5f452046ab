# Nothing follows any more, and the copy is gone.
# shellcheck shell=bash
undo_step() {
  stop_work work
  stop_following
  # The roles are new's own again; whether they stay is the business of the step that made them.
  unfence_logins | sql postgres
}
