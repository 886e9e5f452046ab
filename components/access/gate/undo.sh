# Takes new's key away again; other keys that came meanwhile stay.
# shellcheck shell=bash
undo_step() {
  local file
  file=$(keys_file)
  remove_key
  if [[ -e $file && ! -s $file ]] && ! saved_exists "$file"; then rm -f "$file"; fi
  remove_made_dirs
}
