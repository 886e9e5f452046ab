# Runs a command of the operator's own: run_as SETTING USER DEADLINE COMMAND; its output goes to the step's log.
# shellcheck shell=bash

run_as() {
  local setting=$1 user=$2 deadline=$3 command=$4 home ended=0
  home=$(getent passwd -- "$user" | cut -d : -f 6)
  [[ -n $home ]] || die "$setting.user: $SIDE should have the user $user, but has not"
  (
    if [[ -d $home ]]; then cd -- "$home"; fi
    export HOME=$home USER=$user LOGNAME=$user
    exec timeout --kill-after=5 "$deadline" "$(command -v runuser)" -u "$user" -- /bin/sh -c "$command" </dev/null
  ) || ended=$?
  ((ended != 124 && ended != 137)) || die "$setting: should end within $deadline seconds on $SIDE, but did not$(busy); mend the command, or raise $setting.deadline"
  ((ended == 0)) || die "$setting: should end with 0 on $SIDE, but ended with $ended; its output is in $LOG. Mend the command and run again"
}
