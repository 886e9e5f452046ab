# monit is told what it watches by its files, for its command line works only where its web server is on.
# shellcheck shell=bash

# monit checks its files, reads them anew, and has proven that it did: a check of our own, read with them, leaves a mark.
monit_reread() {
  local check=/etc/monit/conf.d/changeover-$MOVE mark=/run/changeover-$MOVE-monit problem
  systemctl is-active --quiet monit.service || return 0
  rm -f "$mark"
  printf 'check program changeover-%s with path "/usr/bin/touch %s" if status != 0 then alert\n' "$MOVE" "$mark" >"$check"
  problem=$(monit -t 2>&1) || {
    rm -f "$check"
    die "monit on $SIDE: its files should be valid, but: $(tail -n 1 <<<"$problem"). Mend them and run again"
  }
  systemctl reload monit.service
  wait_until "$((DEADLINE - 10))" "monit on $SIDE should read its files (its log is /var/log/monit.log)" test -e "$mark"
  rm -f "$check" "$mark"
  systemctl reload monit.service
}
