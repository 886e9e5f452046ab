# Users' statements go to new's database; old's follows it from then on.
# shellcheck shell=bash
unit_switch() {
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  switch_between old new
}

unit_switch_ended() {
  switch_ended switch old new
}

do_step() {
  follow_work switch
}
