# logrotate reads the files.
# shellcheck shell=bash
verify_step() {
  local name
  for name in "${LOGROTATE[@]}"; do
    logrotate --debug "/etc/logrotate.d/$name" || die "/etc/logrotate.d/$name: logrotate on new cannot read it"
  done
}
