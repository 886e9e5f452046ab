# Put here by changeover: nginx serves what certbot has renewed, and so does old's while users come through it. LINEAGES, GATE and OLD are
# set above, RENEWED_LINEAGE by certbot.
# shellcheck shell=bash disable=SC2154
set -Eeuo pipefail
[[ " $LINEAGES " == *" ${RENEWED_LINEAGE##*/} "* ]] || exit 0
nginx -t 2>/dev/null
systemctl reload nginx
[[ -e $GATE/key ]] || exit 0
for _ in 1 2 3; do
  ! cat "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" | "$GATE/ssh" "$OLD" certificate || exit 0
done
echo "changeover: old does not take the renewed certificate: it goes on with its own" >&2
exit 1
