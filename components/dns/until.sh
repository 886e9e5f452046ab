# From when on a resolver can know of a change.
# shellcheck shell=bash

# Notes once from when on nobody can have what was served before, which resolvers keep for so many seconds: note_until SECONDS
note_until() {
  [[ ! -s $STATE/until ]] || return 0
  keep until printf '%s\n' "$(($(date +%s) + $1))"
}

# The names lead to old again: notes until when resolvers may still lead users to new, those too that ask a secondary which has not
# heard of it yet. note_way_back SECONDS
note_way_back() {
  printf '%s\n' "$(($(date +%s) + $1 + 2))" >"$ROOT/led-until.part"
  mv -- "$ROOT/led-until.part" "$ROOT/led-until"
}

# The names lead to new: users may come there for longer than was noted.
forget_way_back() {
  rm -f "$ROOT/led-until"
}

# Waits until no resolver leads users to new any more.
await_resolvers() {
  local until left
  until=$(cat "$ROOT/led-until" 2>/dev/null || printf '0')
  while left=$((until - $(date +%s))) && ((left > 0)); do
    note "users are served by new for another $left s: so long resolvers may lead them there"
    sleep "$((left < 10 ? left : 10))"
  done
}
