-- Every relation that may hold rows, as one JSON object each. Columns in an order that does not matter: the physical one differs.
select json_build_object(
  'name', format('%I.%I', n.nspname, c.relname),
  'source', format('only %I.%I', n.nspname, c.relname),
  'kind', case c.relkind when 'r' then 'table' when 'm' then 'materialized view' else 'foreign table' end,
  'populated', c.relispopulated,
  'extension', (select e.extname from pg_depend d join pg_extension e on e.oid = d.refobjid
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'),
  -- By PostgreSQL's own estimate: the exact size would wait for locks.
  'bytes', (c.relpages::bigint + coalesce((select x.relpages from pg_class x where x.oid = c.reltoastrelid), 0))
    * current_setting('block_size')::int,
  'tuples', c.reltuples,
  'columns', (select coalesce(json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)), '{}')
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  'key', coalesce((select json_agg(a.attname order by k.place)
    from unnest(i.indkey) with ordinality as k (attnum, place) join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
    where k.place <= i.columns), '[]'),
  -- Where the comparison operators of the key's types live, as those of citext.
  'operators', coalesce((select json_agg(distinct s.nspname) from unnest(i.indclass) as o (oid)
    join pg_opclass p on p.oid = o.oid join pg_namespace s on s.oid = p.opcnamespace where s.nspname <> 'pg_catalog'), '[]'))::text as relation
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join lateral (
  -- The primary key, or the narrowest index that is as good as one. (indnkeyatts is there since PostgreSQL 11.)
  select x.*, coalesce((to_json(x) ->> 'indnkeyatts')::int, x.indnatts) as columns from pg_index x
  where x.indrelid = c.oid and x.indisunique and x.indisvalid and x.indpred is null and x.indexprs is null
    and (x.indisprimary or not exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attnum = any (x.indkey) and not a.attnotnull))
  order by x.indisprimary desc, x.indnatts, x.indexrelid limit 1
) i on true
where c.relkind in ('r', 'm', 'f') and c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$|changeover_)'
