# What every step has: one lock per move, a full log on the server, short lines to the operator, saved originals, deadlines.
# Sourced ahead of do.sh, undo.sh and verify.sh; MOVE, STEP, PHASE, SIDE and the step's own settings are set above it.
# shellcheck shell=bash

readonly ROOT=/var/lib/changeover/$MOVE
STATE=$ROOT/$STEP
readonly LOG=/var/log/changeover/$MOVE/$STEP.log
readonly REBOOT_UNIT=changeover-$MOVE-$STEP-reboot.service REBOOT_WANTS=/etc/systemd/system/multi-user.target.wants

# A line for the operator: what is not UTF-8, or would command a terminal, as \xHH. Pulumi calls a step failed whose output is
# not UTF-8, and forgets that it is done.
printable() {
  local LC_ALL=C rest=$1 clean='' code next=$'[\x80-\xbf]'
  local text=$'^([\t\n -~]|[\xc2-\xdf]'$next$'|\xe0[\xa0-\xbf]'$next$'|[\xe1-\xec\xee\xef]'$next$next
  text+=$'|\xed[\x80-\x9f]'$next$'|\xf0[\x90-\xbf]'$next$next$'|[\xf1-\xf3]'$next$next$next$'|\xf4[\x80-\x8f]'$next$next')+'
  while [[ -n $rest ]]; do
    if [[ $rest =~ $text ]]; then
      clean+=${BASH_REMATCH[0]}
      rest=${rest:${#BASH_REMATCH[0]}}
    else
      printf -v code %d "'$rest"
      printf -v code '\\x%02x' $((code & 255))
      clean+=$code
      rest=${rest:1}
    fi
  done
  printf '%s\n' "$clean"
}

# One line to the operator (at most 400 characters) and to the log; a closed connection is no error.
note() {
  local line="$*"
  printable "${line:0:400}" >&3 2>/dev/null || NOBODY=yes
  printf '%s %s\n' "$(date -u +%FT%TZ)" "$line" >>"$LOG"
}

# Ends the step with the place, the rule, the value and the remedy in one line.
die() {
  note "error: $SIDE, step $STEP: $*"
  printf '%s\n' "$*" >>"$STATE/failure"
  exit 1
}

# The same where something could not be found out, so that it is neither right nor wrong; whoever only looks on reads it so.
undecided() {
  die "$@"
}

# Keeps a named result (for example holdMilliseconds=812); all results are printed when do ends, also when it is taken over.
result() {
  local kept
  kept=$(grep -v "^$1=" "$STATE/result" 2>/dev/null || true)
  printf '%s\n' "${kept:+$kept$'\n'}$1=$2" >"$STATE/result"
}

# Waits for a condition: wait_until SECONDS WHAT COMMAND...; says what it last saw when the deadline has passed.
wait_until() {
  local limit=$1 what=$2 end
  shift 2
  end=$((SECONDS + limit))
  until "$@"; do
    ((SECONDS < end)) || die "$what: not reached within $limit seconds; last seen: $(tail -n 1 "$LOG" | cut -c 1-200)$(busy)"
    sleep 0.1
  done
}

# Tries a command again until it works or the seconds are over: retry_for SECONDS COMMAND...; one that exits ends only its try.
retry_for() {
  local end=$((SECONDS + $1))
  shift
  until ("$@"); do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

# Saves what is at a path (file, link, or nothing) before it is changed; the first save of a move counts.
save_path() {
  local path=$1 kept
  kept=$STATE/saved/$(printf '%s' "$path" | sha256sum | cut -c 1-32)
  [[ -e $kept.path ]] && return
  mkdir -p "$STATE/saved"
  rm -rf -- "$kept.part" "$kept.data"
  if [[ -e $path || -L $path ]]; then
    while_written cp -a --no-target-directory -- "$path" "$kept.part"
    mv --no-target-directory "$kept.part" "$kept.data"
  fi
  # In one rename: the record of a run that is killed here is there as a whole or not at all.
  printf '%s' "$path" >"$kept.name"
  mv -- "$kept.name" "$kept.path"
}

# True when there was something at a path before the move.
saved_exists() {
  [[ -e $STATE/saved/$(printf '%s' "$1" | sha256sum | cut -c 1-32).data ]]
}

# Puts one saved path back as it was and forgets it.
restore_one() {
  local kept=${1%.path} path
  path=$(cat "$1")
  if [[ -e $kept.data || -L $kept.data ]]; then
    mkdir -p "$(dirname -- "$path")"
    rm -rf -- "$path.changeover"
    cp -a --no-target-directory -- "$kept.data" "$path.changeover"
    if mountpoint -q -- "$path"; then
      find "$path" -mindepth 1 -delete
      cp -a -- "$path.changeover/." "$path/"
      rm -rf -- "$path.changeover"
    else
      [[ ! -d $path || -L $path ]] || rm -rf -- "$path"
      mv --no-target-directory -- "$path.changeover" "$path"
    fi
  else
    rm -rf -- "$path"
  fi
  rm -f -- "$1"
  rm -rf -- "$kept.data"
}

# Puts every saved path of this step back.
restore_saved() {
  local record
  for record in "$STATE"/saved/*.path; do
    [[ -e $record ]] || continue
    restore_one "$record"
  done
  remove_made_dirs
}

# Makes a folder like `mkdir -p`, remembering which ones were not there.
make_dir() {
  local dir=$1
  [[ -d $dir ]] && return
  make_dir "$(dirname -- "$dir")"
  # A run that is killed between the two must not forget it.
  printf '%s\n' "$dir" >>"$STATE/made-dirs"
  mkdir -m 755 -- "$dir"
}

# Notes that PATH.changeover is about to be made: where a run is killed before that has taken the path's place, the undo removes it.
note_draft() {
  grep -qsxF -- "$1" "$STATE/drafts" || printf '%s\n' "$1" >>"$STATE/drafts"
}

# Removes what killed runs have left half made.
remove_drafts() {
  local path
  [[ ! -e $STATE/drafts ]] || while IFS= read -r path; do rm -rf -- "$path.changeover"; done <"$STATE/drafts"
}

# Removes the folders that this step made, where they are empty.
remove_made_dirs() {
  local dir
  remove_drafts
  [[ -e $STATE/made-dirs ]] || return 0
  tac "$STATE/made-dirs" | while IFS= read -r dir; do rmdir --ignore-fail-on-non-empty -- "$dir" 2>/dev/null || true; done
  rm -f "$STATE/made-dirs"
}

# Replaces a file's content by stdin in one rename, keeping owner and mode where the file exists (0644 root otherwise).
replace_file() {
  local path=$1 mode=${2:-644}
  note_draft "$path"
  rm -rf -- "$path.changeover"
  if [[ -e $path ]]; then cp -a -- "$(readlink -f -- "$path")" "$path.changeover"; else install -m "$mode" /dev/null "$path.changeover"; fi
  cat >"$path.changeover" && mv -- "$path.changeover" "$path"
}

# Runs psql as the database's superuser, without the user's own settings, stopping at the first error.
sql() {
  superuser_psql "$@"
}

# Asks PostgreSQL or old's gate for something that is judged: inquire COMMAND...; the answer is in ANSWERED. Without one the step ends
# undecided.
inquire() {
  local all said status=0 began=$SECONDS
  all=$("$@" 2> >(sed 's/^/errors: /')) || status=$?
  said=$(sed -n 's/^errors: //p' <<<"$all" | tail -n 1)
  # shellcheck disable=SC2034 # who calls it reads it
  ANSWERED=$(sed '/^errors: /d' <<<"$all")
  ((status != 0)) || return 0
  [[ $said != *"does not exist"* ]] || die "${said:0:200}"
  undecided "could not be found out on $SIDE: $1 gave no answer within $((SECONDS - began)) s (it ended with $status${said:+ and said last: ${said:0:200}})$(busy)"
}

# Asks old's gate for something, over the move's own key: gate REQUEST...; stdin and stdout pass.
gate() {
  [[ -x $ROOT/access-key/ssh ]] || die "the move's key is missing ($ROOT/access-key): run 'pulumi up' with phase 'prepared' first"
  "$ROOT/access-key/ssh" "$OLD_USER@$OLD_ADDRESS" "$*"
}

# The IP address of a server's name; an address stays what it is.
ip_of() {
  local ip
  ip=$(getent ahosts "$1" | awk 'NR == 1 { print $1 }')
  [[ -n $ip ]] || die "$1 has no IP address here: name the server by its address in the settings"
  printf '%s' "$ip"
}

# Unpacks a group of files from old (units, nginx, ...) at their own paths, saving what was there; with 'absent' only new ones.
pull_group() {
  local group=$1 mode=${2:-all} member
  local -a wanted=()
  gate pull "$group" >"$STATE/$group.tar"
  while IFS= read -r member; do
    if [[ $member == */ ]]; then
      # A folder that is here is left alone: while it unpacks, tar would take everybody's access to it away.
      [[ ! -d /$member ]] || continue
      printf '/%s\n' "${member%/}" >>"$STATE/made-dirs"
    elif [[ $mode == absent && -e /$member && ! -e $STATE/pulled.$group ]]; then
      continue
    else
      save_path "/$member"
    fi
    wanted+=("$member")
  done < <(tar --quoting-style=literal -tf "$STATE/$group.tar")
  printf '%s\0' "${wanted[@]}" >"$STATE/pulled.$group"
  ((${#wanted[@]} == 0)) || tar -xpf "$STATE/$group.tar" -C / --no-overwrite-dir --no-recursion --null --verbatim-files-from --files-from="$STATE/pulled.$group"
}

# Records a unit's enabled and active state before it is changed; the first record of a move counts.
save_unit() {
  keep_first "unit.$1" unit_state "$1"
}

# A unit's enabled and active state, in two words.
unit_state() {
  printf '%s %s\n' "$(systemctl is-enabled -- "$1" 2>/dev/null || true)" "$(systemctl is-active -- "$1" 2>/dev/null || true)"
}

# Puts a unit's enabled and active state back.
restore_unit() {
  local enabled active
  [[ -e $STATE/unit.$1 ]] || return 0
  read -r enabled active <"$STATE/unit.$1" || true
  [[ $enabled != enabled ]] || systemctl enable -- "$1"
  [[ $active != active ]] || systemctl start -- "$1"
  rm -f "$STATE/unit.$1"
}

# A unit that this step may have started is enabled and active again only if it was before.
put_unit_back() {
  local enabled active
  [[ -e $STATE/unit.$1 ]] || return 0
  read -r enabled active <"$STATE/unit.$1" || true
  [[ $active == active ]] || systemctl stop -- "$1"
  [[ $enabled == enabled ]] || systemctl disable -- "$1"
  rm -f "$STATE/unit.$1"
}

# The name of the step's unit on this server.
unit_name() {
  printf 'changeover-%s-%s' "$MOVE" "$STEP"
}

# True while a unit starts, runs, or cleans up after itself.
unit_at_work() {
  # No answer counts as at work.
  [[ ! $(systemctl show --property=ActiveState --value -- "$1" || true) =~ ^(inactive|failed)$ ]]
}

# True when a unit is not at work.
unit_is_over() {
  ! unit_at_work "$1"
}

# What a reboot or a loss of power cuts off is put back by the server itself as soon as it is up again: arm_reboot VERB. Only the
# next boot reads this, so systemd need not reload.
arm_reboot() {
  local file=/etc/systemd/system/$REBOOT_UNIT
  cat >"$file" <<UNIT
[Unit]
Description=changeover: puts back what a reboot has cut off (move $MOVE, step $STEP)
ConditionPathExists=$STATE/started.$1
ConditionPathExists=!$STATE/ended.$1
Wants=network-online.target
After=network-online.target postgresql.service pgbouncer.service nginx.service

[Service]
Type=exec
Environment=SERVICE_RESULT=reboot
ExecStart=/bin/bash $STATE/script.work $1-ended
UNIT
  mkdir -p "$REBOOT_WANTS"
  ln -sfn "$file" "$REBOOT_WANTS/"
  sync -- "$file" "$REBOOT_WANTS" "$STATE" "$STATE"/*
}

# Nothing is left for a reboot to cut off.
disarm_reboot() {
  rm -f "$REBOOT_WANTS/$REBOOT_UNIT" "/etc/systemd/system/$REBOOT_UNIT"
}

# What a reboot has cut off is being put back: nothing else begins before that has ended.
await_reboot() {
  unit_at_work "$REBOOT_UNIT" || return 0
  note "$SIDE has rebooted: waiting until it has put back what was cut off"
  wait_until "$((DEADLINE - 5))" "$REBOOT_UNIT should end" unit_is_over "$REBOOT_UNIT"
}

# The part of the script that this step's unit was started for.
work_of_unit() {
  cat "$STATE/at-work" 2>/dev/null || true
}

# Stops this step's unit, if it is at work on this part of the script, and waits until it has put back what it changed: stop_work VERB.
# A way back that is at work already goes on.
stop_work() {
  await_reboot
  [[ $(work_of_unit) == "$1" ]] && unit_at_work "$(unit_name)" || return 0
  systemctl stop -- "$(unit_name)"
}

# Waits until this step's unit has ended with any other part of the script than this one.
await_other_work() {
  [[ $(work_of_unit) != "$1" ]] && unit_at_work "$(unit_name)" || return 0
  note "waiting for $(unit_name), which is still at work on $SIDE ($(work_of_unit))"
  wait_until "$((DEADLINE - 5))" "$(unit_name) should end" unit_is_over "$(unit_name)"
}

# Tells whoever follows a unit's work how it ended: tell_end VERB RESULT.
tell_end() {
  disarm_reboot
  printf '%s' "$2" >"$STATE/ended.$1.part" && mv "$STATE/ended.$1.part" "$STATE/ended.$1"
}

# Ends the work of a unit that is gone without a word, as after a reboot or when it was killed with all that belonged to it.
end_work() {
  local ended=$STATE/ended.$1
  [[ ! -e $ended ]] || return 0
  note "$(unit_name) was killed before its end: putting back what it had changed"
  printf 'it was killed from outside\n' >>"$STATE/failure"
  SERVICE_RESULT=killed bash "$STATE/script.work" "$1-ended"
}

# Runs a part of this script ('work' or another verb) as a systemd unit and follows it: a lost connection does not stop it, and
# a second run follows the first one.
follow_work() {
  local verb=$1 unit shown=0 rounds=0 over=no ended=$STATE/ended.$1
  local -a lines
  unit=$(unit_name)
  await_reboot
  await_other_work "$verb"
  # One that has told its end is about to be gone.
  [[ ! -e $ended ]] || wait_until 30 "$unit should end" unit_is_over "$unit"
  if unit_at_work "$unit"; then
    note "following $unit, which is already at work on $SIDE"
  elif [[ -e $ended && $(cat "$ended") == success ]]; then
    note "$unit finished on $SIDE while nobody was following: taken over"
  else
    [[ ! -e $STATE/started.$verb || -e $ended ]] || end_work "$verb"
    rm -f "$ended" "$STATE/failure" "$STATE/put-back" "$STATE/finished"
    keep at-work printf '%s' "$verb"
    : >"$STATE/started.$verb"
    : >"$STATE/progress"
    cp "$STATE/script" "$STATE/script.work"
    arm_reboot "$verb"
    systemctl reset-failed "$unit" 2>/dev/null || true
    systemd-run --quiet --collect --unit="$unit" --property=RuntimeMaxSec="$DEADLINE" --property=TimeoutStopSec=1800 \
      --property=KillMode=control-group --property=KillSignal="${KILL_SIGNAL:-SIGTERM}" --property=ExecStopPost="/bin/bash $STATE/script.work ${verb}-ended" \
      /bin/bash "$STATE/script.work" "$verb"
    note "started $unit on $SIDE: it goes on without this connection"
  fi
  while :; do
    # What it said last is shown, too.
    [[ ! -e $ended ]] || over=yes
    mapfile -t lines <"$STATE/progress"
    if ((${#lines[@]} > shown)); then
      note_or_leave "${lines[-1]}"
      shown=${#lines[@]}
    fi
    [[ $over == no ]] || break
    # Not in each round: systemd would be asked for longer than the work lasts.
    ((++rounds % 5 != 0)) || unit_at_work "$unit" || end_work "$verb"
    sleep 0.2
  done
  [[ $(cat "$ended") != success ]] || return 0
  # It has put back what it changed: a way back that is refused stands in no one's way forward.
  rm -f "$STATE/undoing"
  die "$unit failed: $(head -n 1 "$STATE/failure" 2>/dev/null || echo "it was stopped from outside"). The site is served as before; the full log is $LOG. Mend the cause and run 'pulumi up' again"
}

# A line to the operator; where nobody is connected any more, this follower ends and the unit goes on.
note_or_leave() {
  note "$1"
  [[ -z ${NOBODY:-} ]] || {
    trap - EXIT
    exit 1
  }
}

# A line of progress from a unit's work.
progress() {
  printf '%s\n' "$*" >>"$STATE/progress"
}

# Why a unit's work failed, for the one who follows it.
failure() {
  printf '%s\n' "$*" >>"$STATE/failure"
  printf '%s failure: %s\n' "$(date -u +%FT%TZ)" "$*" >>"$LOG"
  exit 1
}

# Bytes for people.
human() {
  awk -v b="$1" 'BEGIN { split("B kB MB GB TB", u); i = 1; while (b >= 1000 && i < 5) { b /= 1000; i++ } printf (i == 1 ? "%d %s" : "%.1f %s"), b, u[i] }'
}

# Refuses to undo while a later phase of this move is still done on this server: its undo has to come first.
refuse_if_later_phase() {
  local marker phase
  for marker in "$ROOT"/*/begun; do
    [[ -e $marker && $PHASE != 0 && ! -e ${marker%/*}/put-back ]] || continue
    read -r phase <"$marker" || true
    marker=${marker%/begun}
    ((phase <= PHASE)) || die "step ${marker##*/} of a later phase is done or half done on this server, and its undo must come first; set 'phase' to that phase, run 'pulumi up', then go back"
  done
}

# Runs do: takes over finished work, puts itself back when it fails.
run_do() {
  if [[ -e $STATE/done ]]; then
    # A way back that nobody follows any more.
    await_other_work ''
    if bash "$STATE/script" part-verify >&3; then
      note "already done by this move on $SIDE: taken over"
      print_results
      return
    fi
    rm -f "$STATE/done" "$STATE"/ended.* "$STATE"/started.*
  fi
  printf '%s\n' "$PHASE" >"$STATE/begun"
  trap 'do_failed $?' EXIT
  do_step
  verify_step
  trap - EXIT
  rm -f "$STATE/undoing"
  date -u +%FT%TZ >"$STATE/done"
  journal 'do' 'done'
  print_results
}

# Prints the kept results, one name=value a line: the program reads them from the step's output.
print_results() {
  [[ ! -e $STATE/result ]] || while IFS= read -r line; do note "$line"; done <"$STATE/result"
}

# After a failed do: what it changed goes back (or stays for the next run to take over), and the operator reads why.
do_failed() {
  trap - EXIT
  set +e
  journal 'do' failed
  note "step $STEP failed on $SIDE (exit $1); the full log is $LOG there; its end:"
  log_end
  if [[ $ON_FAILURE == undo ]]; then
    note "putting back what step $STEP had changed"
    if bash "$STATE/script" part-undo >&3; then rm -rf "$STATE"; else note "putting back failed: run 'pulumi up' again"; fi
  fi
  exit "$1"
}

# The last lines of the log that no operator has seen yet.
log_end() {
  local line
  { grep --text -v '^20[0-9-]*T[0-9:]*Z ' "$LOG" || true; } | tail -n 5 |
    while IFS= read -r line; do printable "${line:0:300}"; done >&3 2>/dev/null || true
}

# Runs undo: nothing to do where do never ran; afterwards no trace is left on the server but the log.
run_undo() {
  [[ ! -e $STATE/begun ]] || {
    refuse_if_later_phase
    trap 'undo_failed $?' EXIT
    : >"$STATE/undoing"
    undo_step
    remove_drafts
    disarm_reboot
    trap - EXIT
    journal undo 'done'
  }
  rm -rf "$STATE"
  rmdir --ignore-fail-on-non-empty "$ROOT" /var/lib/changeover 2>/dev/null || true
}

# After a failed undo: says where to look; the next run goes on. One that has changed nothing stands in no one's way forward either.
undo_failed() {
  trap - EXIT
  ! bash "$STATE/script" check >/dev/null 2>&1 || rm -f "$STATE/undoing"
  journal undo failed
  note "the undo of step $STEP failed on $SIDE (exit $1); the full log is $LOG there; its end:"
  log_end
  exit "$1"
}

# Takes the locks: one run of a step at a time, and no undo while a do of this move is at work, as one that a killed run left.
take_locks() {
  local mode=--shared
  [[ $1 != undo ]] || mode=--exclusive
  exec 8>"/run/lock/changeover-$MOVE" 9>"/run/lock/changeover-$MOVE-$STEP"
  take_lock "$mode" 8
  take_lock --exclusive 9
}

# Waits for one lock, and says so when it takes longer than a moment.
take_lock() {
  flock --timeout 2 "$1" "$2" && return
  note "waiting for a step of this move that is still at work on $SIDE"
  flock --timeout "$((DEADLINE - 5))" "$1" "$2" || die "another step of move $MOVE is still at work after $DEADLINE seconds$(busy): see /var/log/changeover/$MOVE, then run 'pulumi up' again"
}

# A line in the journal of this server: when, what, how it ended, for how long.
journal() {
  local now=$EPOCHREALTIME
  awk -v at="$(date -u +%FT%TZ)" -v step="$STEP" -v verb="$1" -v ended="$2" -v from="$BEGAN" -v to="$now" \
    'BEGIN { printf "%s\t%s\t%s\t%s\t%.1f s\n", at, step, verb, ended, to - from }' >>"${LOG%/*}/journal"
}

# Says in the log which command ended a step.
failed_command() {
  printf 'failed with %s: %s\n' "$1" "${2:0:200}" >&2
}

# Verifies for somebody who looks on: no lock is taken and nothing written, not even to the log. What is wrong is printed behind a !,
# what could not be found out behind a ~, and behind a ? which command ended it.
# shellcheck disable=SC2317 # verify_step calls them
check_only() {
  die() {
    printf '! %s\n' "$*" >&3
    exit 1
  }
  failure() { die "$@"; }
  undecided() {
    printf '~ %s\n' "$*" >&3
    exit 1
  }
  exec 3>&1 >/dev/null 2>&1
  # shellcheck disable=SC2154 # BASH_COMMAND is bash's
  trap 'printf "? %s ended with %s\n" "${BASH_COMMAND:0:150}" "$?" >&3' ERR
  verify_step
  exit 0
}

# do, undo, verify, check; any other verb is a part of the step that runs as a unit, without the lock.
main() {
  BEGAN=$EPOCHREALTIME
  umask 022
  cd /
  export LC_ALL=C.UTF-8 GATE_SESSION=$$
  trap '' PIPE
  [[ $1 != check ]] || check_only
  trap 'failed_command $? "$BASH_COMMAND"' ERR
  (umask 077 && mkdir -p "${LOG%/*}" "$STATE")
  (umask 077 && : >>"$LOG")
  exec 3>&1 >>"$LOG" 2>&1
  case $1 in
    do | undo | verify) take_locks "$1" ;;
  esac
  case $1 in
    results) print_results ;;
    do) run_do ;;
    undo) run_undo ;;
    verify | part-verify) verify_step ;;
    part-undo)
      undo_step
      remove_drafts
      ;;
    # While the server goes down nothing can be put back: other services end, too.
    *-ended)
      [[ $(systemctl is-system-running || true) == stopping ]] || {
        # For systemd a unit that was stopped from outside has succeeded.
        [[ $SERVICE_RESULT != success || -e $STATE/finished ]] || SERVICE_RESULT=stopped
        "unit_${1//-/_}"
      }
      ;;
    *)
      "unit_${1//-/_}" "${@:2}"
      [[ $(work_of_unit) != "$1" ]] || : >"$STATE/finished"
      ;;
  esac
}
