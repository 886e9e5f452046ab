# Users' statements go to new's database, with a hold instead of a page; old's follows it from then on.
# shellcheck shell=bash
unit_switch() {
  trap 'failure "${BASH_COMMAND%% *} ended with $?"' ERR
  switch_between old new
}

unit_switch_ended() {
  switch_ended switch old new
}

do_step() {
  [[ -e $STATE/ended.switch || $(users_on) == old ]] || return 0
  follow_work switch
}
