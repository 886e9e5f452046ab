# Who still comes to old while it passes requests on: requests in its log of them, and connections. MOVE, PGPORT and QUIET (seconds) are set above.
# shellcheck shell=bash

# Requests of a log in nginx's format `combined` on stdin, by source: address, requests, last one (seconds since 1970), its path without
# the query, its agent: requests_by_source SINCE
requests_by_source() {
  awk -v since="$1" '
    # Seconds since 1970 of 22/Nov/2026:02:32:33 +0100.
    function seconds(stamp,  part, month, year, days, zone) {
      split(stamp, part, "[/: ]")
      month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", part[2]) + 2) / 3
      year = part[3] - (month <= 2)
      days = 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + part[1] - 719469
      zone = (substr(part[7], 2, 2) * 60 + substr(part[7], 4, 2)) * 60
      return days * 86400 + part[4] * 3600 + part[5] * 60 + part[6] - (part[7] ~ /^-/ ? -zone : zone)
    }
    match($0, /\[[0-9]+\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9](:[0-9][0-9]:[0-9][0-9]:[0-9][0-9]) [+-][0-9][0-9][0-9][0-9]\]/) {
      at = seconds(substr($0, RSTART + 1, RLENGTH - 2))
      if (at < since) next
      count[$1]++
      if (at < last[$1]) next
      last[$1] = at
      fields = split(substr($0, RSTART + RLENGTH + 2), quoted, "\"")
      delete request
      split(quoted[1], request, " ")
      path[$1] = request[2]
      sub(/[?;].*/, "", path[$1])
      agent[$1] = quoted[fields - 1]
    }
    END {
      for (source in count)
        printf "%s\t%d\t%.0f\t%s\t%s\n", source, count[source], last[source], substr(path[source], 1, 60), substr(agent[source], 1, 40)
    }' | tr -d '\000-\010\013-\037\177' | sort -t $'\t' -k 2,2nr | head -n 500
}

# The ports at which the site's nginx takes connections.
web_ports() {
  nginx_files | while IFS= read -r file; do sed 's/#.*//' "$file"; done |
    grep -Eo '(^|[[:space:];{])listen[[:space:]]+[^;[:space:]]+' | sed -E 's/.*[[:space:]]//; s/.*://' | grep -Ex '[0-9]+' || echo 80
}

# Connections that are open now at the ports of the site and of PostgreSQL, by source: address, port, number.
sessions_by_source() {
  local ports
  ports=$(printf '%s\n' "$(web_ports)" "$PGPORT" | sort -u | tr '\n' ' ')
  ss -Htn state established | awk -v ports="$ports" '
    BEGIN { split(ports, list, " "); for (i in list) wanted[list[i]] = 1 }
    {
      port = $3; sub(/.*:/, "", port)
      if (!(port in wanted)) next
      source = $4; sub(/:[0-9]+$/, "", source); gsub(/[][]/, "", source); sub(/^::ffff:/, "", source); sub(/%.*/, "", source)
      count[source "\t" port]++
    }
    END { for (key in count) printf "%s\t%d\n", key, count[key] }' | sort | head -n 500
}

straggler_facts() {
  local log=/var/log/nginx/changeover-$MOVE.log gate=/var/lib/changeover/$MOVE/access-gate
  fact_of addresses hostname -I
  [[ $SIDE == old && -e $gate/nginx.path ]] || return 0
  [[ -e $log ]] || return 0
  fact stragglers.since "$(stat -c %Y -- "$gate/nginx.path")"
  fact stragglers.requests "$({ cat "$log.1" 2>/dev/null || true; } | cat - "$log" | tail -n 1000000 | requests_by_source "$(($(date +%s) - QUIET))")"
  fact stragglers.sessions "$(sessions_by_source)"
}
