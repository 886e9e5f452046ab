# What users have written on the copy since it has them. DATABASE (empty: none here), PGPORT, FILES, ROWS are set above.
# shellcheck shell=bash

readonly HANDOVER=$ROOT/fork-handover

# Rows written since the handover, as table, newer rows, rows deleted so far. A look at the server waits for so long as ROWS_TIMEOUT says.
rows_of() {
  [[ -z $DATABASE ]] || sql --set=since="$1" --field-separator=$'\t' "$DATABASE" <<<"set statement_timeout = '${ROWS_TIMEOUT:-0}'; $ROWS"
}

# One line for each place where something was written, its number first.
written_places() {
  local path count
  for path in "${FILES[@]}"; do
    count=$(find "$path" -newer "$HANDOVER/moment" -type f -printf x 2>/dev/null | wc -c)
    ((count == 0)) || printf '%s files in %s\n' "$count" "$path"
  done
  [[ -z $DATABASE ]] || rows_of "$(cat "$HANDOVER/transaction")" |
    awk -F '\t' 'NR == FNR { before[$1] = $3; next } { n = $2 + ($3 > before[$1] ? $3 - before[$1] : 0); if (n > 0) print n " rows of " $1 }' "$HANDOVER/rows" -
}
