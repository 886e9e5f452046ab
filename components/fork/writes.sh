# What users have written on the copy since it has them. DATABASE (empty: none here), PGPORT, FILES, ROWS are set above. A look gives each place so many
# seconds as LOOK_SECONDS says; a step waits.
# shellcheck shell=bash

readonly HANDOVER=$ROOT/fork-handover

# Rows written since the handover, as table, newer rows, rows deleted so far.
rows_of() {
  [[ -z $DATABASE ]] || sql --set=since="$1" --field-separator=$'\t' "$DATABASE" <<<"set statement_timeout = '${LOOK_SECONDS:-0}s'; $ROWS"
}

# One line for each place where something was written, its number first. Fails where that cannot be found out.
written_places() {
  local path found
  for path in "${FILES[@]}"; do
    # The release may have taken it away.
    [[ -e $path ]] || continue
    found=$(while_written timeout "${LOOK_SECONDS:-0}" find "$path" -newer "$HANDOVER/moment" -type f -printf x) || return 1
    [[ -z $found ]] || printf '%s files in %s\n' "${#found}" "$path"
  done
  [[ -z $DATABASE ]] || rows_of "$(cat "$HANDOVER/transaction")" |
    awk -F '\t' 'NR == FNR { before[$1] = $3; next } { n = $2 + ($3 > before[$1] ? $3 - before[$1] : 0); if (n > 0) print n " rows of " $1 }' "$HANDOVER/rows" -
}
