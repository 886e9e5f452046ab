# The copy is a machine like any other: its jobs and cron depend on no guard.
# shellcheck shell=bash
do_step() {
  [[ ! -e $GUARD_STATE/copy ]] || die "$GUARD_STATE/copy: should be gone: jobs and cron are off on the copy. Run 'pulumi up' with phase 'address' first"
  remove_guard
  rm -f -- "$GUARD_STATE"/host-key*
}
