-- How the side that follows gets on: one fact a line, its name, a tab, JSON. Reads only.
select :SERVER_VERSION_NUM >= 150000 as pg15 \gset

-- What moves of changeover keep for the side that follows, and how that gets on.
select 'feeds', coalesce(jsonb_agg(jsonb_build_object('slot', slot_name, 'status', to_jsonb(s) ->> 'wal_status', 'active', active,
  'bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint,
  'behind', pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint)), '[]') from pg_replication_slots s where slot_name ~ '^changeover_';
\if :pg15
\set errors '(select apply_error_count from pg_stat_subscription_stats e where e.subid = s.oid)'
\else
\set errors null
\endif
select 'links', coalesce(jsonb_agg(jsonb_build_object('link', subname, 'enabled', subenabled, 'working',
  exists (select from pg_stat_subscription t where t.subid = s.oid and t.pid is not null and t.relid is null), 'errors', :errors)), '[]')
from pg_subscription s where subname ~ '^changeover_';
