# Writes the report of the move, from the journals of both servers and the steps' results.
# shellcheck shell=bash

# Both journals in the order of time, the side behind the time; old's last step has ended after its journal was fetched.
both_journals() {
  {
    awk -F '\t' -v OFS='\t' '{ $1 = $1 OFS "old"; print }' "$ROOT/report-journal/journal"
    printf '%s\told\tfinish-old\tdo\tdone\t%s.0 s\n' "$FINISHED_OLD" "$FINISHED_OLD_SECONDS"
    awk -F '\t' -v OFS='\t' '{ $1 = $1 OFS "new"; print }' "${LOG%/*}/journal"
  } | sort -s -t $'\t' -k 1,1
}

# The sum of a result over the steps that have it, nothing where none has: sum_of NAME
sum_of() {
  cat "$ROOT"/*/result 2>/dev/null | awk -F = -v name="$1" '$1 == name { sum += $2; found = 1 } END { if (found) print sum }'
}

# A line of what was measured, where it was: measured NAME WORDS UNIT
measured() {
  local value
  value=$(sum_of "$1")
  [[ -z $value ]] || printf '  %-50s %8s %s\n' "$2" "$value" "$3"
}

# The report.
report() {
  local journal
  journal=$(both_journals)
  printf 'Report of move %s: %s (old) to %s (new)\n\n' "$MOVE" "$OLD_ADDRESS" "$NEW_ADDRESS"
  printf '  %-9s %s\n' begun "$(head -n 1 <<<"$journal" | cut -f 1)" finished "$(tail -n 1 <<<"$journal" | cut -f 1)"
  printf '\nMeasured:\n'
  measured holdMilliseconds 'requests waited when old began to pass them on' ms
  measured databaseHoldMilliseconds 'statements waited when the database was switched' ms
  measured maintenanceSeconds 'users saw the maintenance page' s
  measured copySeconds 'copy of the database' s
  measured filesSeconds 'copy of the files' s
  printf '\nWhat ran (UTC):\n'
  awk -F '\t' '{ printf "  %s  %s  %-22s %-5s %-7s %9s\n", $1, $2, $3, $4, $5, $6 }' <<<"$journal"
}

do_step() {
  local file line number=0
  file=${LOG%/*}/report
  report | sed 's/ *$//' | replace_file "$file" 600
  # They are printed again whenever the step's results are.
  sed -i '/^report[0-9]*=/d' "$STATE/result" 2>/dev/null || true
  while IFS= read -r line; do printf 'report%d=%s\n' "$((++number))" "${line:0:350}"; done <"$file" >>"$STATE/result"
}
