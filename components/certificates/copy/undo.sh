# Removes the copied certificates, and what renewals have added to them.
# shellcheck shell=bash
undo_step() {
  restore_saved
  forget_certbot
}
