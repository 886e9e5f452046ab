# Installs the unit files of the site on new, off.
# shellcheck shell=bash
do_step() {
  pull_group units
  systemctl daemon-reload
}
