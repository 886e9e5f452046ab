# Takes this consent back; one that came after it stays.
# shellcheck shell=bash
undo_step() {
  [[ $(cat "$ROOT/consent" 2>/dev/null || true) != "$ACCEPT_LOST_WRITES" ]] || rm -f "$ROOT/consent"
}
