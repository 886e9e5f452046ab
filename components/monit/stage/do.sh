# Brings monit's files to new's state folder, off, and tries them with monit's own settings there.
# shellcheck shell=bash
do_step() {
  local problem
  gate pull monit >"$STATE/monit.tar"
  rm -rf "$STATE/tried"
  mkdir "$STATE/tried"
  tar -xf "$STATE/monit.tar" -C "$STATE/tried"
  {
    cat /etc/monit/monitrc
    printf '\ninclude %s/tried/etc/monit/conf.d/*\n' "$STATE"
    [[ ! -d $STATE/tried/etc/monit/conf-enabled ]] || printf 'include %s/tried/etc/monit/conf-enabled/*\n' "$STATE"
  } >"$STATE/monitrc"
  chmod 600 "$STATE/monitrc"
  problem=$(monit -t -c "$STATE/monitrc" 2>&1) || die "monit on new cannot read the site's files: $(tail -n 1 <<<"$problem"). Correct changeover:site.monit, or the files on old"
  rm -rf "$STATE/tried" "$STATE/monitrc"
}
