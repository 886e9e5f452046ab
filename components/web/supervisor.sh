# Programs of supervisor, named in the settings as supervisor:NAME. A program that is switched off has autostart=false in its own file,
# under a mark, so that it comes back exactly as it was.
# shellcheck shell=bash

# The file with a program's section.
program_file() {
  local file
  for file in /etc/supervisor/conf.d/*.conf; do
    [[ ! -f $file ]] || ! grep -qE "^\[program:${1//./\\.}\][[:space:]]*(;.*)?$" "$file" || { readlink -f -- "$file" && return; }
  done
  return 1
}

# Switches a program on or off in its file: set_autostart on|off NAME
set_autostart() {
  local file
  file=$(program_file "$2") || die "supervisor:$2: a file of /etc/supervisor/conf.d on $SIDE should have a section [program:$2]"
  awk -v wanted="$1" -v section="[program:$2]" '
    /^\[/ {
      inside = index($0, section) == 1
      print
      if (inside && wanted == "off") print ";changeover\nautostart=false"
      next
    }
    !inside { print; next }
    $0 == ";changeover" { skip = 1; next }
    skip { skip = 0; next }
    /^;changeover was: / { $0 = substr($0, 18) }
    wanted == "off" && /^[ \t]*autostart[ \t]*=/ { $0 = ";changeover was: " $0 }
    { print }' "$file" >"$STATE/program.new"
  cmp -s "$STATE/program.new" "$file" || replace_file "$file" <"$STATE/program.new"
  rm -f "$STATE/program.new"
}

# True when a program has been switched off.
autostart_is_off() {
  local file
  file=$(program_file "$1") || return 0
  awk -v section="[program:$1]" '/^\[/ { inside = index($0, section) == 1 } inside && $0 == ";changeover" { off = 1 } END { exit !off }' "$file"
}

# The states of a program's processes, one a line; nothing where supervisor does not run or does not know it.
program_states() {
  supervisorctl status "$1:*" 2>/dev/null | awk '$2 ~ /^[A-Z]+$/ && $2 != "ERROR" { print $2 }' || true
}

# True when all of a program's processes run.
program_runs() {
  [[ $(program_states "$1" | sort -u) == RUNNING ]]
}

# True when none of them is there any more, nor will be by itself.
program_is_over() {
  [[ ! $(program_states "$1") =~ (RUNNING|STARTING|STOPPING|BACKOFF) ]]
}

# Supervisor takes the program's file as it is now; what changed there is stopped first.
update_program() {
  systemctl is-active --quiet supervisor.service || return 0
  if program_file "$1" >/dev/null || [[ -n $(program_states "$1") ]]; then supervisorctl update "$1"; fi
}

# Starts a program, now and at each boot.
start_program() {
  save_unit supervisor.service
  systemctl is-enabled --quiet supervisor.service || systemctl enable supervisor.service
  systemctl start supervisor.service
  wait_until 30 "supervisor should answer on $SIDE" supervisorctl pid
  set_autostart on "$1"
  update_program "$1"
  [[ $(program_states "$1") =~ (RUNNING|STARTING) ]] || supervisorctl start "$1:*" || true
  wait_until 60 "supervisor:$1 should run on $SIDE (supervisorctl tail $1 stderr)" program_runs "$1"
}

# Stops a program for now.
pause_program() {
  program_is_over "$1" || supervisorctl stop "$1:*"
  wait_until "$((DEADLINE - 10))" "supervisor:$1 should end on $SIDE" program_is_over "$1"
}

# Stops a program for good.
stop_program() {
  ! program_file "$1" >/dev/null || set_autostart off "$1"
  pause_program "$1"
  update_program "$1"
}

# Records what a program was before it is changed; the first record of a move counts.
save_program() {
  keep_first "unit.supervisor:$1" program_state "$1"
}

# Whether supervisor starts a program by itself, and whether it runs, in a unit's words.
program_state() {
  local enabled=enabled active=inactive
  ! autostart_is_off "$1" || enabled=disabled
  program_is_over "$1" || active=active
  printf '%s %s\n' "$enabled" "$active"
}

# A program is what it was. Supervisor itself, too, where this step had started it.
restore_program() {
  local record=$STATE/unit.supervisor:$1 enabled active
  [[ -e $record ]] || return 0
  read -r enabled active <"$record"
  if [[ $active == active ]]; then
    start_program "$1"
  elif [[ $enabled == enabled ]]; then
    set_autostart on "$1"
  fi
  rm -f "$record"
  put_unit_back supervisor.service
}
