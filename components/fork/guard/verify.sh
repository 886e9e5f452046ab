# The guard is there, for every unit that must not run twice.
# shellcheck shell=bash
verify_step() {
  local unit
  for unit in $(job_units); do
    [[ -e $(guard_drop_in "$unit") ]] || die "$(guard_drop_in "$unit"): should be there: $unit would run on the copy, too"
  done
  [[ -e $GUARD_WANTS && -s $GUARD_STATE/guard ]] || die "$GUARD_UNIT: should start at the next boot"
}
