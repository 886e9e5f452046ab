# monit on old watches the site no more, also after a reboot: it is told ahead of what is going to stop.
# shellcheck shell=bash
do_step() {
  local file
  monit_files >"$STATE/files"
  while IFS= read -r file; do
    save_path "$file"
    rm -f -- "$file"
  done <"$STATE/files"
  monit_reread
}
