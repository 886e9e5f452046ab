# No lineage of the site is renewed on old.
# shellcheck shell=bash
verify_step() {
  local name
  while IFS= read -r name; do
    grep -qi '^autorenew *= *false' "/etc/letsencrypt/renewal/$name.conf" || die "/etc/letsencrypt/renewal/$name.conf: should hold autorenew = False on old"
  done <"$STATE/lineages"
}
