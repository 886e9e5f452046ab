# What the guard consists of on a server. GUARD_STATE is the folder of the step that installs it; JOBS is set above.
# shellcheck shell=bash

# shellcheck disable=SC2034 # what is sourced behind uses it
readonly GUARD_STATE=$ROOT/fork-guard GUARD_UNIT=changeover-$MOVE-fork-guard.service
readonly GUARD_FILE=/etc/systemd/system/$GUARD_UNIT GUARD_WANTS=/etc/systemd/system/sysinit.target.wants/$GUARD_UNIT

# Units that must not run twice: the settings' jobs, and whatever runs things at their time, where it is there.
job_units() {
  local unit
  printf '%s\n' "${JOBS[@]}"
  for unit in cron.service crond.service anacron.service anacron.timer atd.service; do
    [[ " ${JOBS[*]} " == *" $unit "* ]] || ! systemctl cat -- "$unit" >/dev/null 2>&1 || printf '%s\n' "$unit"
  done
}

# The file that keeps a unit off on a copy.
guard_drop_in() {
  printf '/etc/systemd/system/%s.d/50-changeover-fork-%s.conf' "$1" "$MOVE"
}

# Takes away whatever of the guard is here; what it has changed on a copy stays.
remove_guard() {
  local file
  for file in /etc/systemd/system/*.d/50-changeover-fork-"$MOVE".conf*; do
    [[ -e $file ]] || continue
    rm -f -- "$file"
    rmdir --ignore-fail-on-non-empty -- "$(dirname -- "$file")"
  done
  rm -f -- "$GUARD_WANTS" "$GUARD_FILE"
  systemctl daemon-reload
}
