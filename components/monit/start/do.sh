# monit on new watches the site, now that all of it runs there.
# shellcheck shell=bash
do_step() {
  local member
  save_unit monit.service
  while IFS= read -r member; do
    [[ $member == */ ]] || save_path "/$member"
  done < <(tar --quoting-style=literal -tf "$ROOT/monit-stage/monit.tar")
  tar -xpf "$ROOT/monit-stage/monit.tar" -C / --no-overwrite-dir
  systemctl is-enabled --quiet monit.service || systemctl enable monit.service
  systemctl start monit.service
  monit_reread
}
