# Publishes the database's changes: every table says which row was changed, and a marker shows how far the other side has come.
# shellcheck shell=bash
do_step() {
  keep_first identities tables_without_identity
  while IFS=$'\t' read -r table _; do
    wait_until 120 "$table should be free for a moment, so that its replica identity can be set" set_identity "$table" full
  done <"$STATE/identities"
  sql --set=name="changeover_$MOVE" "$DATABASE" <<'SQL'
set client_min_messages = warning;
create schema if not exists :"name";
create table if not exists :"name".marker (id int primary key, n bigint not null);
insert into :"name".marker values (1, 0) on conflict do nothing;
select not exists (select from pg_publication where pubname = :'name') as missing \gset
\if :missing
create publication :"name" for all tables;
\endif
SQL
}

# Tables whose rows cannot be told apart on the other side: name and identity (d: default, n: nothing).
tables_without_identity() {
  sql --field-separator=$'\t' "$DATABASE" <<'SQL'
select format('%I.%I', n.nspname, c.relname), c.relreplident from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^(pg_|information_schema$)'
  and (c.relreplident = 'n' or c.relreplident = 'd' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary))
SQL
}
