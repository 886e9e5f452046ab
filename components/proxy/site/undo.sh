# Takes the site out of new's nginx.
# shellcheck shell=bash
undo_step() {
  rm -rf -- "$(include_dir)"
  restore_saved
  reload_nginx
}
