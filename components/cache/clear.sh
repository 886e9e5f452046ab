# Clears the app's cache: CACHE_COMMAND, the operator's own, as CACHE_USER, within CACHE_DEADLINE seconds, is set above.
# shellcheck shell=bash

clear_cache() {
  local home ended=0
  home=$(getent passwd -- "$CACHE_USER" | cut -d : -f 6)
  [[ -n $home ]] || die "changeover:site.cacheClear.user: $SIDE should have the user $CACHE_USER, but has not"
  (
    if [[ -d $home ]]; then cd -- "$home"; fi
    export HOME=$home USER=$CACHE_USER LOGNAME=$CACHE_USER
    exec timeout --kill-after=5 "$CACHE_DEADLINE" "$(command -v runuser)" -u "$CACHE_USER" -- /bin/sh -c "$CACHE_COMMAND" </dev/null
  ) || ended=$?
  ((ended != 124 && ended != 137)) || die "changeover:site.cacheClear: should end within $CACHE_DEADLINE seconds on $SIDE, but did not; mend the command, or raise changeover:site.cacheClear.deadline"
  ((ended == 0)) || die "changeover:site.cacheClear: should end with 0 on $SIDE, but ended with $ended; its output is in $LOG. Mend the command and run again"
}
