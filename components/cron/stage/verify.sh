# Every entry is kept.
# shellcheck shell=bash
verify_step() {
  local entry file
  for entry in "${CRON[@]}"; do
    file=$(cron_file "$entry")
    tar -tf "$STATE/cron.tar" "${file#/}" || die "$STATE/cron.tar: should hold $file"
  done
}
