# Lets new's PostgreSQL be followed by old's: logical log, reachable from old's address for one role, ready to be fenced. Nobody uses
# it yet.
# shellcheck shell=bash
do_step() {
  local file setting value restart=no
  make_fence_group
  file=$(hba_file)
  {
    hba_block "$OLD_ADDRESS" "changeover_$MOVE"
    hba_without_block "$file"
  } >"$STATE/hba"
  replace_file "$file" <"$STATE/hba"
  for setting in wal_level=logical 'listen_addresses=*'; do
    value=${setting#*=}
    setting=${setting%%=*}
    [[ $(sql postgres --command="show $setting") != "$value" ]] || continue
    printf '%s\n' "$setting" >>"$STATE/changed"
    sql --set=value="$value" postgres <<<"alter system set $setting = :'value'"
    restart=yes
  done
  if [[ $restart == yes ]]; then restart_server; else sql postgres --command='select pg_reload_conf()'; fi
}

# Restarts PostgreSQL and waits until it answers.
restart_server() {
  local unit
  unit=$(ps -o unit= -p "$(head -n 1 "$(sql postgres --command='show data_directory')/postmaster.pid")" | tr -d ' ')
  [[ $unit == *.service ]] || die "PostgreSQL should be a systemd service, but belongs to ${unit:-nothing}"
  systemctl restart -- "$unit"
  wait_until 60 "PostgreSQL on $SIDE should answer" sql postgres --command='select 1'
}
