# Keeps the number of rows that the operator agreed to lose, where the switch's undo reads it.
# shellcheck shell=bash
do_step() {
  printf '%s\n' "$ACCEPT_LOST_WRITES" >"$ROOT/consent"
}
