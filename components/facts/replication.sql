-- What replication has to know of a server: one fact a line, its name, a tab, JSON. Reads only. Set ahead: side (old or new), name (the
-- site's database), roles (one a line). On old it runs in the site's database. Queries that fail are told, and the others still run.
set lc_messages = 'C';
-- A database may have set it off.
set standard_conforming_strings = on;
select :SERVER_VERSION_NUM >= 110000 as pg11, :SERVER_VERSION_NUM >= 150000 as pg15, :'side' = 'old' as old \gset

select 'settings', jsonb_object_agg(name, setting) from pg_settings where name in ('wal_level', 'max_replication_slots', 'max_wal_senders',
  'max_logical_replication_workers', 'max_worker_processes', 'max_active_replication_origins', 'max_slot_wal_keep_size', 'max_wal_size');

select 'pending', coalesce(jsonb_agg(name order by name), '[]') from pg_settings where pending_restart;

-- What is used of them, without what belongs to a move of changeover.
select 'used', jsonb_build_object(
  'slots', (select count(*) from pg_replication_slots where slot_name !~ '^changeover_'),
  'senders', (select count(*) from pg_stat_replication where usename !~ '^changeover_'),
  'appliers', (select count(*) from pg_stat_subscription where pid is not null and subname !~ '^changeover_'),
  'origins', (select count(*) from pg_replication_origin where roname not in (select 'pg_' || oid from pg_subscription where subname ~ '^changeover_')),
  'workers', (select count(*) from pg_stat_activity where backend_type not in ('client backend', 'autovacuum launcher', 'autovacuum worker',
      'background writer', 'checkpointer', 'startup', 'walreceiver', 'walsender', 'walwriter', 'walsummarizer', 'archiver', 'logger',
      'slotsync worker', 'io worker', 'standalone backend', 'parallel worker')
    and pid not in (select pid from pg_stat_subscription where pid is not null and subname ~ '^changeover_')));

-- Whom a restart touches too.
select 'others', coalesce(jsonb_agg(jsonb_build_object('database', datname, 'sessions', sessions) order by datname), '[]')
from (select datname, (select count(*) from pg_stat_activity a where a.datid = d.oid and a.backend_type in ('client backend', 'walsender')
    and a.application_name <> 'changeover look') as sessions
  from pg_database d where datallowconn and not datistemplate and datname <> :'name') d where datname <> 'postgres' or sessions > 0;

select 'hba', coalesce(jsonb_agg(jsonb_build_object('line', line_number, 'type', type, 'databases', database, 'users', user_name,
  'address', address, 'error', error) order by line_number), '[]') from pg_hba_file_rules where auth_method = 'trust' or error is not null;

-- Whether two servers keep the same passwords: a digest of what has a salt of its own, from which nobody can find the password.
\if :pg11
select 'verifiers', coalesce(jsonb_agg(jsonb_build_object('role', rolname,
  'digest', case when rolpassword ~ '^SCRAM-SHA-256\$' then encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex') end)), '[]') from pg_authid where rolname = any (string_to_array(:'roles', E'\n'));
\endif

\if :pg15
select 'collations', coalesce(jsonb_agg(jsonb_build_object('of', kind, 'name', name, 'recorded', recorded, 'actual', actual)), '[]') from (
  select 'database' as kind, datname as name, datcollversion as recorded, pg_database_collation_actual_version(oid) as actual
  from pg_database where :'side' = 'new' or datname = :'name'
  union all
  select 'collation', format('%I.%I', n.nspname, c.collname), collversion, pg_collation_actual_version(c.oid)
  from pg_collation c join pg_namespace n on n.oid = c.collnamespace where collversion is not null) c where recorded <> actual;
\else
select 'collations', coalesce(jsonb_agg(jsonb_build_object('of', kind, 'name', name, 'recorded', recorded, 'actual', actual)), '[]') from (
  select 'collation' as kind, format('%I.%I', n.nspname, c.collname) as name, collversion as recorded, pg_collation_actual_version(c.oid) as actual
  from pg_collation c join pg_namespace n on n.oid = c.collnamespace where collversion is not null) c where recorded <> actual;
\endif

\if :old
-- Tables whose rows cannot be told apart, the biggest first.
select 'keyless', coalesce(jsonb_agg(jsonb_build_object('table', name, 'rows', rows, 'bytes', bytes) order by bytes desc), '[]') from (
  select format('%I.%I', n.nspname, c.relname) as name, greatest(c.reltuples, 0)::bigint as rows, pg_table_size(c.oid) as bytes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^(pg_|information_schema$|changeover_)' and c.relreplident in ('d', 'n')
    and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid)) t;

-- Tables that have a key, but do not use it, or use an index that is broken.
select 'identities', coalesce(jsonb_agg(jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'identity', c.relreplident, 'key', key)), '[]')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid) as key) k
where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^(pg_|information_schema$)' and (c.relreplident = 'n' and key
  or c.relreplident = 'i' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident and i.indisvalid));

select 'unlogged', coalesce(jsonb_agg(jsonb_build_object('table', format('%I.%I', n.nspname, c.relname), 'bytes', pg_table_size(c.oid))), '[]')
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and c.relpersistence = 'u';

select 'largeObjects', jsonb_build_object('count', (select count(*) from (select from pg_largeobject_metadata limit 1000000) o),
  'bytes', pg_relation_size('pg_largeobject'));

-- Triggers that fire for rows that replication brings (A: always, R: only then).
select 'triggers', coalesce(jsonb_agg(jsonb_build_object('table', tgrelid::regclass::text, 'trigger', quote_ident(tgname), 'fires', tgenabled)), '[]')
from pg_trigger where not tgisinternal and tgenabled in ('A', 'R');
select 'eventTriggers', coalesce(jsonb_agg(evtname), '[]') from pg_event_trigger where evtenabled in ('A', 'R');

-- Tables of extensions, with rows in them or not: CREATE EXTENSION makes them on new.
select 'extensionTables', coalesce(jsonb_agg(jsonb_build_object('extension', e.extname, 'table', c.oid::regclass::text)), '[]')
from pg_depend d join pg_extension e on e.oid = d.refobjid join pg_class c on c.oid = d.objid
where d.deptype = 'e' and d.classid = 'pg_class'::regclass and d.refclassid = 'pg_extension'::regclass
  and c.relkind = 'r' and pg_relation_size(c.oid) > 0;

select 'invalidIndexes', coalesce(jsonb_agg(i.indexrelid::regclass::text), '[]') from pg_index i
  join pg_class c on c.oid = i.indrelid where not i.indisvalid and c.relkind = 'r' and c.relpersistence <> 't';
select 'notValidated', coalesce(jsonb_agg(jsonb_build_object('table', conrelid::regclass::text, 'constraint', quote_ident(conname))), '[]')
from pg_constraint where not convalidated;

select 'idleSlots', coalesce(jsonb_agg(jsonb_build_object('slot', slot_name,
  'bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint)), '[]')
from pg_replication_slots where not active and not temporary and slot_name !~ '^changeover_';

-- A slot begins when every transaction of the server that was open has ended.
select 'waitedFor', coalesce(jsonb_agg(jsonb_build_object('database', database, 'transaction', transaction, 'remedy', remedy)), '[]') from (
  select datname as database, format('process %s of %s, since %s', pid, usename, xact_start) as transaction,
    format('select pg_terminate_backend(%s)', pid) as remedy
  from pg_stat_activity where datname <> :'name' and backend_type = 'client backend' and xact_start < now() - interval '5 min'
  union all
  select database, format('prepared transaction %L', gid), format('ROLLBACK PREPARED %L', gid)
  from pg_prepared_xacts where database <> :'name') t;

-- Where else the roles log in, own or may do something.
select 'rolesElsewhere', coalesce(jsonb_agg(jsonb_build_object('role', role, 'databases', databases)), '[]')
from (select role, jsonb_agg(database order by database) as databases from (:elsewhere) e group by role) r;

-- The roles that the fence keeps out of the site's database alone.
select 'shared', coalesce((select to_jsonb(string_to_array(shobj_description(oid, 'pg_authid'), E'\n')) from pg_roles where rolname = 'changeover_' || :'move' || '_fenced'), '[]');

-- The app's sessions.
select 'sessions', jsonb_build_object('open', count(*), 'inTransaction', count(*) filter (where state <> 'idle')) from pg_stat_activity
where datname = :'name' and backend_type = 'client backend' and usename = any (string_to_array(:'roles', E'\n'));

-- Superusers at work in the site's database; whoever administers it by psql on the server is none of the app.
select 'superusers', coalesce(jsonb_agg(jsonb_build_object('pid', pid, 'role', usename, 'application', application_name,
  'address', coalesce(host(client_addr), 'a socket'))), '[]')
from pg_stat_activity a join pg_roles r on r.rolname = a.usename
where a.datname = :'name' and a.backend_type = 'client backend' and r.rolsuper and usename !~ '^changeover_'
  and not (client_addr is null and application_name ~ '^(psql|pg_dump|pg_restore|pg_basebackup|changeover look)$');

-- What the app does that needs one session with the server for long. Statements are told by their first words alone.
select exists (select from pg_extension where extname = 'pg_stat_statements')
  and current_setting('shared_preload_libraries') ~ 'pg_stat_statements' as statements \gset
\if :statements
select quote_ident(nspname) || '.pg_stat_statements' as seen from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where extname = 'pg_stat_statements' \gset
\else
\set seen '(select null::oid as dbid, null::oid as userid, null::text as query)'
\endif
with app as (select pid, state, query from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend' and usename = any (string_to_array(:'roles', E'\n'))),
statements as (
  select regexp_replace(query, '^(\s|/\*.*?\*/|--[^\n]*\n)+', '') as query from (
    select query from app where state = 'idle'
    union
    select s.query from :seen s join pg_roles r on r.oid = s.userid join pg_database d on d.oid = s.dbid
    where d.datname = current_database() and r.rolname = any (string_to_array(:'roles', E'\n'))) q),
kinds (need, pattern) as (values
  ('LISTEN', '^listen\M'),
  ('PREPARE', '^(prepare\s+(?!transaction)|execute\M|deallocate\M)'),
  ('DISCARD', '^discard\M'),
  ('a cursor WITH HOLD', '^declare\M.*\Mwith\s+hold\M'),
  ('a temporary table', '^create\s+(local\s+|global\s+)?temp(orary)?\M(?!.*on\s+commit\s+drop)'),
  ('a session''s advisory lock', '\mpg_(try_)?advisory_lock(_shared)?\M'))
select 'sessionNeeds', coalesce(jsonb_agg(distinct need), '[]') from (
  select need from statements join kinds on query ~* pattern
  union all
  -- PgBouncer knows these settings of a session, and the others not.
  select 'SET ' || (regexp_match(query, '^set\s+(?:session\s+)?(\w+)', 'i'))[1] from statements where query ~*
    '^set\s+(session\s+)?(?!(session\s+)?(local|transaction|constraints|session\s+characteristics|client_encoding|names|datestyle|timezone|time\s+zone|standard_conforming_strings|application_name)\M)\w'
  union all
  select 'a session''s advisory lock' from pg_locks l join app on app.pid = l.pid
  where l.locktype = 'advisory' and l.granted and app.state = 'idle'
  union all
  select 'a temporary table' from pg_class c where relpersistence = 't' and relkind = 'r'
    and pg_get_userbyid(relowner) = any (string_to_array(:'roles', E'\n'))) n;
\endif
