# What a step keeps in its folder for its undo: whole or not at all.
# shellcheck shell=bash

# Keeps what a command prints in $STATE/NAME, whole or not at all, whenever this run is killed: keep NAME COMMAND...
keep() {
  "${@:2}" >"$STATE/$1.part"
  mv -- "$STATE/$1.part" "$STATE/$1"
}

# The same for what was there before the step: the first record of a move counts.
keep_first() {
  [[ -e $STATE/$1 ]] || keep "$@"
}
