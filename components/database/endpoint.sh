# The app's own file with the database's address. ENDPOINT_FILE, ENDPOINT_ADDRESS (as on old), THROUGH are set above.
# shellcheck shell=bash

# Replaces every place of one literal text in the file by another, in one rename.
set_endpoint() {
  local from=$1 to=$2 content
  content=$(
    cat -- "$ENDPOINT_FILE"
    printf x
  )
  content=${content%x}
  # An address may begin with the other one.
  [[ $to != "$from"* || $content != *"$to"* ]] || return 0
  [[ $content == *"$from"* ]] || { [[ $content == *"$to"* ]] && return; }
  [[ $content == *"$from"* ]] || die "$ENDPOINT_FILE: should hold $from, but does not; it is the app's database address (database.endpoint.address)"
  printf '%s' "${content//"$from"/"$to"}" | replace_file "$ENDPOINT_FILE"
}

# Where the app on new finds old's database: PgBouncer on new leads there, or it is asked itself.
old_endpoint() {
  if [[ $THROUGH == pooler ]]; then
    printf '127.0.0.1:%s' "$POOLER_PORT"
  elif [[ $OLD_ADDRESS == *:* ]]; then printf '[%s]:%s' "$OLD_ADDRESS" "$PGPORT"; else printf '%s:%s' "$OLD_ADDRESS" "$PGPORT"; fi
}
