# Whether the site is read-only is known to the operator's command alone, which ended with 0.
# shellcheck shell=bash
verify_step() {
  :
}
