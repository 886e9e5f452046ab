# Old passes the site on.
# shellcheck shell=bash
verify_step() {
  passing || die "old's nginx should pass ${NAMES[*]} on to new"
}
