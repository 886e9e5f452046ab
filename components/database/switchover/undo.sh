# Users' statements go to old's database again; every write that new has taken is there.
# shellcheck shell=bash
unit_back() {
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  switch_between new old
}

unit_back_ended() {
  switch_ended back new old
}

# A switch that was cut off puts itself back; otherwise the way back runs, or one that nobody has followed to its end is.
undo_step() {
  stop_work switch
  [[ -e $STATE/started.back || $(users_on) == new ]] || return 0
  follow_work back
}
