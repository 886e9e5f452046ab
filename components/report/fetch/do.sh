# Brings old's journal over.
# shellcheck shell=bash
do_step() {
  gate journal >"$STATE/journal.part"
  mv -- "$STATE/journal.part" "$STATE/journal"
}
