# The hook is in place where certbot renews.
# shellcheck shell=bash
verify_step() {
  [[ ! -s $STATE/lineages || -x $(hook_file) ]] || die "$(hook_file): should be on new"
}
