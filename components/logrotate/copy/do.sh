# Copies the site's log rotation.
# shellcheck shell=bash
do_step() {
  pull_group logrotate
}
