# nginx on new knows the site.
# shellcheck shell=bash
verify_step() {
  [[ -n $(nginx_files) ]] || die "nginx on new should serve ${NAMES[*]}"
  nginx -t || die "nginx on new: $(nginx -t 2>&1 | head -n 1)"
}
