# New shows what certbot has obtained for every name; whether its chain is trusted, too, is looked at before users come.
# shellcheck shell=bash
verify_step() {
  local name problem shown
  for name in "${NAMES[@]}"; do
    # New workers may still be on their way.
    retry_for 5 shows_obtained "$name" || {
      shown=$(served 127.0.0.1 "$name") || undecided "certificate for $name: what nginx on new shows could not be found out: $shown"
      problem=$(certificate_problem "$shown")
      die "certificate for $name: nginx on new should show the one in /etc/letsencrypt/live/$(lineage), but ${problem:-shows another one}; the site's own file in nginx has to name its certificate, not one that it includes"
    }
  done
}

# True when new shows the lineage's certificate for a name that it covers.
shows_obtained() {
  local digest covers
  IFS=$'\t' read -r digest _ covers _ < <(served 127.0.0.1 "$1")
  [[ $covers == yes && $digest == "$(chain_digest <"/etc/letsencrypt/live/$(lineage)/fullchain.pem")" ]]
}
