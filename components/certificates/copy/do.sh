# Copies the site's certificates and keys, links and renewal settings included.
# shellcheck shell=bash
do_step() {
  pull_group certificates
}
