# Old's nginx knows where to pass them.
# shellcheck shell=bash
verify_step() {
  grep -qF "$(include_line)" "$(cat "$STATE/file")" || die "$(cat "$STATE/file"): should include /etc/nginx/changeover/$MOVE-acme.conf"
  nginx -t || die "nginx on old: $(nginx -t 2>&1 | head -n 1)"
}
