# The site's processes, whoever keeps them: systemd's units and timers, and programs of supervisor ("supervisor:NAME").
# What supervisor.sh and timers.sh have is used here.
# shellcheck shell=bash

# Starts some, now and at each boot.
start_units() {
  local unit
  for unit in "$@"; do
    if [[ $unit == supervisor:* ]]; then
      start_program "${unit#*:}"
      continue
    fi
    # To enable a unit again would reload every other one.
    systemctl is-enabled --quiet -- "$unit" || systemctl enable -- "$unit"
    if [[ $unit == *.timer ]]; then run_timer "$unit"; else systemctl start -- "$unit" || die "$unit: should start on $SIDE, but did not; see journalctl -u $unit"; fi
  done
}

# Stops some for good, each at the end of what it does.
stop_units() {
  local unit
  for unit in "$@"; do
    if [[ $unit == supervisor:* ]]; then
      stop_program "${unit#*:}"
      continue
    fi
    [[ $unit != *.timer ]] || halt_timer "$unit"
    systemctl disable --now -- "$unit"
    await_timers_work "$unit"
  done
}

# Stops some without switching them off: they come back within this step.
stop_units_for_now() {
  local unit
  local -a units=()
  for unit in "$@"; do
    case $unit in
      supervisor:*) pause_program "${unit#*:}" ;;
      *.timer) halt_timer "$unit" ;;
      *) units+=("$unit") ;;
    esac
  done
  ((${#units[@]} == 0)) || systemctl stop -- "${units[@]}"
  for unit in "$@"; do await_timers_work "$unit"; done
}

# Starts those again that run, with the code as it is now.
restart_running() {
  local unit
  for unit in "$@"; do
    if [[ $unit == *.timer ]]; then
      continue
    elif [[ $unit != supervisor:* ]]; then
      systemctl try-restart -- "$unit"
    elif program_runs "${unit#*:}"; then
      supervisorctl restart "${unit#*:}:*"
    fi
  done
}

# Records what some were before they are changed; the first record of a move counts.
save_units() {
  local unit
  for unit in "$@"; do
    if [[ $unit == supervisor:* ]]; then save_program "${unit#*:}"; else save_unit "$unit"; fi
  done
}

# Puts some back as they were recorded.
restore_units() {
  local unit
  for unit in "$@"; do
    if [[ $unit == supervisor:* ]]; then
      restore_program "${unit#*:}"
    elif [[ $unit == *.timer ]]; then
      restore_timer "$unit"
    else
      restore_unit "$unit"
    fi
  done
}

# A timer that was active goes on with what was due meanwhile.
restore_timer() {
  local enabled active
  [[ -e $STATE/unit.$1 ]] || return 0
  read -r enabled active <"$STATE/unit.$1" || true
  [[ $enabled != enabled ]] || systemctl enable -- "$1"
  [[ $active != active ]] || run_timer "$1"
  rm -f "$STATE/unit.$1"
}

# True when one runs.
unit_runs() {
  if [[ $1 == supervisor:* ]]; then program_runs "${1#*:}"; else systemctl is-active --quiet -- "$1"; fi
}

# Waits until each of some has run for a second: one whose program ends at its start would be found by nobody. supervisor itself looks
# that long.
await_lasting() {
  local unit
  for unit in "$@"; do
    case $unit in
      supervisor:* | *.timer) continue ;;
    esac
    wait_until 10 "$unit: should go on running on $SIDE, but ends soon after its start; journalctl -u $unit says why" has_lasted "$unit"
  done
}

# True when a service has run for a second, or has done all it is there for.
has_lasted() {
  local type since
  type=$(systemctl show --property=Type --value -- "$1")
  [[ $type != oneshot ]] || return 0
  since=$(LC_ALL=C TZ=UTC systemctl show --property=ActiveEnterTimestamp --value -- "$1")
  systemctl show --property=ActiveState,SubState,NRestarts -- "$1" | paste -sd ' '
  systemctl is-active --quiet -- "$1" && (($(date +%s) - $(date -d "$since" +%s) >= 2))
}

# Fails unless some run.
check_units_run() {
  local unit
  for unit in "$@"; do
    unit_runs "$unit" || {
      has_told $? "$unit"
      die "$unit: should run on $SIDE"
    }
  done
}

# Ends the step undecided where systemd could not be asked about a unit: that is systemctl's 1, and what does not run is 3 or 4.
has_told() {
  [[ $2 == supervisor:* ]] || (($1 != 1)) || undecided "whether $2 runs on $SIDE could not be found out: systemctl is-active gets no answer of systemd"
}

# Fails unless some are stopped, so that no reboot brings them back.
check_units_off() {
  local unit status
  for unit in "$@"; do
    if [[ $unit == supervisor:* ]]; then
      program_is_over "${unit#*:}" || die "$unit: should be stopped on $SIDE"
      autostart_is_off "${unit#*:}" || die "$unit: should have autostart=false on $SIDE"
    else
      status=0
      systemctl is-active --quiet -- "$unit" || status=$?
      ((status != 0)) || die "$unit: should be stopped on $SIDE"
      has_told "$status" "$unit"
      [[ $(systemctl is-enabled -- "$unit" || true) != enabled ]] || die "$unit: should be disabled on $SIDE"
    fi
  done
}
