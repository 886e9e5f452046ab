# The switch of changeover's phase database as a careful person would write it with plain psql calls: plainSwitch.sh FROM TO, on new,
# at phase app. OLD and NEW (addresses) are set above. New follows old already (changeover_shop_to_new).
# shellcheck shell=bash disable=SC2154
set -Eeuo pipefail
cd /
# psql with one side's database.
on() {
  local side=$1
  shift
  if [[ $side == new ]]; then
    runuser -u postgres -- psql -XAtq -d shop "$@"
  else
    runuser -u postgres -- psql -XAtq -d "host=$OLD dbname=shop user=changeover_shop sslmode=require passfile=/var/lib/postgresql/changeover-shop.dump.private/pass" "$@"
  fi
}
pooler() {
  runuser -u postgres -- psql -Xq -h /var/run/postgresql -p 6432 -U pgbouncer pgbouncer -c "$1"
}
lead_to() {
  local host=127.0.0.1
  [[ $1 == new ]] || host=$OLD
  sed -i "s/^shop = host=[^ ]*/shop = host=$host/" /etc/pgbouncer/pgbouncer.ini
}
from=$1 to=$2
connection="host=$NEW port=5432 dbname=shop user=changeover_shop sslmode=require passfile=/var/lib/postgresql/changeover-shop.private/pass"
[[ $from == old ]] || connection="host=$OLD port=5432 dbname=shop user=changeover_shop sslmode=require passfile=/var/lib/postgresql/changeover-shop.dump.private/pass"
on "$from" -c "create subscription changeover_shop_to_$from connection '$connection' publication changeover_shop with (enabled = false, create_slot = false, slot_name = 'changeover_shop_to_$from', copy_data = false)"

pooler pause
on "$from" -c "alter role shop nologin"
on "$from" -c "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'shop' and datname = 'shop'" >/dev/null
mark=$(on "$from" -c "update changeover_shop.marker set n = n + 1 returning n")
until [[ $(on "$to" -c "select n >= $mark from changeover_shop.marker") == t ]]; do sleep 0.01; done
on "$from" -c "select format('select setval(%L, %s, %L);', quote_ident(schemaname) || '.' || quote_ident(sequencename), coalesce(last_value, start_value), last_value is not null) from pg_sequences" | on "$to" -f - >/dev/null
on "$to" -c "alter subscription changeover_shop_to_$to disable"
on "$to" -c "select pg_create_logical_replication_slot('changeover_shop_to_$from', 'pgoutput')" >/dev/null
on "$from" -c "alter subscription changeover_shop_to_$from enable"
on "$to" -c "alter role shop login"
lead_to "$to"
pooler reload
pooler resume

until on "$to" -c "alter subscription changeover_shop_to_$to set (slot_name = none)" -c "drop subscription changeover_shop_to_$to"; do sleep 0.1; done
until on "$from" -c "select pg_drop_replication_slot('changeover_shop_to_$to')" >/dev/null; do sleep 0.1; done
