# Brings the cron entries to new's state folder: installed, but off.
# shellcheck shell=bash
do_step() {
  gate pull cron >"$STATE/cron.tar"
}
