# New serves the copied certificate again; what certbot has obtained goes.
# shellcheck shell=bash
undo_step() {
  stop_work work
  [[ ! -e $STATE/started.work || -e $STATE/ended.work ]] || end_work work
  rm -rf -- "$(include_dir)/acme.conf" "$(webroot)/.well-known"
  restore_saved
  forget_certbot
  reload_nginx
}
