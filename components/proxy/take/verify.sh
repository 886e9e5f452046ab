# Old passes the site on.
# shellcheck shell=bash
verify_step() {
  [[ $(gate passing) == yes ]] || die "old's nginx should pass ${NAMES[*]} on to new"
}
