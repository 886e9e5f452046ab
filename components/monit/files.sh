# monit's files of the site. MONIT (their names in conf.d or conf-enabled) is set above.
# shellcheck shell=bash

# Those that are there, one a line.
monit_files() {
  local name file
  for name in "${MONIT[@]}"; do
    for file in "/etc/monit/conf.d/$name" "/etc/monit/conf-enabled/$name"; do
      [[ ! -e $file && ! -L $file ]] || printf '%s\n' "$file"
    done
  done
}
