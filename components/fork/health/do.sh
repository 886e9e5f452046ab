# The site answers on the copy by the copy's own address.
# shellcheck shell=bash
do_step() {
  check_site
}
