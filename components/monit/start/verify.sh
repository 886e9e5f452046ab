# Every file is in place, and monit runs.
# shellcheck shell=bash
verify_step() {
  [[ $(monit_files | wc -l) -ge ${#MONIT[@]} ]] || die "/etc/monit on $SIDE: should have ${MONIT[*]}"
  systemctl is-active --quiet monit.service || die "monit should run on $SIDE"
}
