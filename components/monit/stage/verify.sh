# Every file is kept.
# shellcheck shell=bash
verify_step() {
  local name
  for name in "${MONIT[@]}"; do
    tar -tf "$STATE/monit.tar" | grep -qxE "etc/monit/conf(\.d|-enabled)/${name//./\\.}" || die "$STATE/monit.tar: should hold $name of monit"
  done
}
