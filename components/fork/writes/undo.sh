# The first step of the way back: what users have written on the copy is named, and not left there without consent.
# shellcheck shell=bash
undo_step() {
  local places total consent
  places=$(written_places)
  total=$(awk '{ n += $1 } END { print n + 0 }' <<<"$places")
  [[ -z $places ]] || while IFS= read -r line; do note "written on the copy since users are there: $line"; done <<<"$places"
  consent=$(cat "$ROOT/consent" 2>/dev/null || printf '0')
  ((total <= consent)) || die "$total files and rows were written on the copy since users are there ($(paste --serial --delimiters=, <<<"$places")), and old does not have them: going back leaves them behind. Fetch them first; or leave them knowingly: pulumi config set changeover:acceptLostWrites $total, and 'pulumi up' again (a busy site writes on: a somewhat larger number is accepted too)"
}
