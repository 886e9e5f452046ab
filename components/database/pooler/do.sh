# PgBouncer on new leads the app to old's database, from where a switch can lead it to new's without the app's noticing.
# shellcheck shell=bash
do_step() {
  local dropin=/etc/systemd/system/pgbouncer.service.d/changeover.conf users=/etc/pgbouncer/userlist.txt host
  host=$(ip_of "$OLD_ADDRESS")
  # Where users have come to new's database already, they stay there.
  if [[ -e $STATE/configured && -n $(pooler_host) ]]; then host=$(pooler_host); fi
  save_unit pgbouncer.service
  save_path "$POOLER_INI"
  save_path "$users"
  user_list | replace_file "$users" 640
  chown postgres: "$users"
  chmod 640 "$users"
  configuration "$host" | replace_file "$POOLER_INI" 640
  chown postgres: "$POOLER_INI"
  : >"$STATE/configured"
  make_dir "$(dirname "$dropin")"
  # Users wait for it: it is back at once, however it ended.
  printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=100ms\n' | replace_file "$dropin"
  systemctl daemon-reload
  systemctl enable pgbouncer.service
  systemctl restart pgbouncer.service
  wait_until 30 "PgBouncer on $SIDE should answer on port $POOLER_PORT" pooler_command 'show version'
}

# The roles with their passwords as PostgreSQL keeps them: PgBouncer passes logins through and never knows a password.
user_list() {
  local role
  for role in "${ROLES[@]}"; do
    sql --set=role="$role" postgres <<'SQL'
select format('"%s" "%s"', replace(rolname, '"', '""'), rolpassword) from pg_authid where rolname = :'role' and rolpassword is not null
SQL
  done
}

# PgBouncer's settings, leading to a host. A login that fails is tried again soon: until one works, clients without a connection fail.
# A hold with session pooling waits a second at most for clients that do not read what they asked for.
configuration() {
  local version
  version=$(pgbouncer --version | sed -n 's/^PgBouncer \([0-9]*\.[0-9]*\).*/\1/p')
  cat <<INI
; Written by changeover: the app's way to its database.
[databases]
$(pooler_line "$1")

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $POOLER_PORT
unix_socket_dir = /var/run/postgresql
auth_type = scram-sha-256
auth_file = /etc/pgbouncer/userlist.txt
admin_users = postgres
pool_mode = $POOLER_MODE
default_pool_size = $POOLER_SIZE
max_db_connections = $POOLER_SIZE
max_client_conn = 2000
server_tls_sslmode = require
server_login_retry = 0.1
server_connect_timeout = 5
suspend_timeout = 1
ignore_startup_parameters = extra_float_digits
logfile = /var/log/postgresql/pgbouncer.log
INI
  [[ $(printf '1.21\n%s\n' "$version" | sort -V | head -n 1) != 1.21 ]] || printf 'max_prepared_statements = 200\n'
}
