# Puts the cron entries in place on new: from here on new is their one owner.
# shellcheck shell=bash
do_step() {
  [[ -e $STATE/handed.cron || -e $STATE/owned.cron ]] || bring_handed cron
  own_cron put_entries_in
}

put_entries_in() {
  local entry file
  for entry in "${CRON[@]}"; do
    file=$(cron_file "$entry")
    save_path "$file"
    tar -xpf "$ROOT/cron-stage/cron.tar" -C / --no-overwrite-dir --no-recursion "${file#/}"
  done
}
