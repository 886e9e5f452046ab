-- The streams of rows between big tables (:big bytes or more), one a line: kind, table, what reads it on old, what writes it on new
-- (psql's variable program is the one that prints it, record a statement that belongs to the rows). Kinds:
--   ahead   a piece of a table with a primary key: streams while users still write
--   late    a piece of a table without one: streams when nobody writes any more
--   change  the rows of an ahead table that were written since (:'horizon' is the oldest transaction that may have)
--   keys    all keys of an ahead table, to find the rows that were deleted since
-- Rows travel in binary form where all of a table's types have one that is the same in every version. Only plain tables:
-- partitions, unlogged tables and tables of extensions are left to pg_dump, which knows their rules.
with big as (
  select c.oid, format('%I.%I', n.nspname, c.relname) as name, pg_table_size(c.oid) as size, columns.columns, keys.keys, keys.same,
    case when columns.portable then ' (format binary)' else '' end as form,
    pg_relation_size(c.oid) / current_setting('block_size')::int as pages,
    -- Before 14, a range of ctid reads the whole table each time: there it is one piece.
    case when current_setting('server_version_num')::int >= 140000
      then greatest(:workers, pg_table_size(c.oid) / :piece) else 1 end as pieces
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (
    select string_agg(format('%I', a.attname), ', ' order by a.attnum) as columns,
      bool_and(base.typtype = 'e' or base.oid in ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype,
        'float8'::regtype, 'numeric'::regtype, 'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'bytea'::regtype, 'uuid'::regtype,
        'json'::regtype, 'jsonb'::regtype, 'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)) as portable
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    -- A domain over a domain counts as not portable.
    join pg_type base on base.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and coalesce(to_jsonb(a) ->> 'attgenerated', '') = ''
  ) columns
  cross join lateral (
    select string_agg(format('%I', a.attname), ', ') as keys, string_agg(format('t.%1$I = r.%1$I', a.attname), ' and ') as same
    from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
    -- A key that is computed does not travel with its row.
    where i.indrelid = c.oid and i.indisprimary and i.indnkeyatts = i.indnatts
      and not exists (select from pg_attribute g where g.attrelid = c.oid and g.attnum = any (i.indkey) and coalesce(to_jsonb(g) ->> 'attgenerated', '') <> '')
  ) keys
  where c.relkind = 'r' and c.relpersistence = 'p' and not coalesce((to_jsonb(c) ->> 'relispartition')::boolean, false)
    and n.nspname !~ '^(pg_|information_schema$)' and pg_table_size(c.oid) >= :big
    and columns.columns !~ '[[:cntrl:]]' and n.nspname || c.relname !~ '[[:cntrl:]]'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
)
select case when keys is null then 'late' else 'ahead' end, name,
  format('copy (select %s from only %s%s) to stdout%s', columns, name, case when pieces > 1 then
    format(' where ctid >= %L', format('(%s,0)', piece * pages / pieces))
    || case when piece < pieces - 1 then format(' and ctid < %L', format('(%s,0)', (piece + 1) * pages / pieces)) else '' end
    else '' end, form),
  format('begin; copy %s (%s) from program :''program''%s; :record; commit', name, columns, form)
from (select big.*, generate_series(0, pieces - 1) as piece from big order by size desc, name, piece) pieces
union all
select 'change', name,
  format('copy (select %s from only %s where age(xmin) <= age(:''horizon''::xid)) to stdout%s', columns, name, form),
  format('begin; create temp table changeover_rows on commit drop as select %1$s from %2$s with no data;'
    ' copy changeover_rows (%1$s) from program :''program''%3$s; analyze changeover_rows;'
    ' delete from only %2$s t using changeover_rows r where %4$s;'
    ' insert into %2$s (%1$s) overriding system value select %1$s from changeover_rows; commit', columns, name, form, same)
from big where keys is not null
union all
select 'keys', name, format('copy (select %s from only %s) to stdout', keys, name),
  format('begin; create temp table changeover_rows on commit drop as select %1$s from %2$s with no data;'
    ' copy changeover_rows (%1$s) from program :''program''; analyze changeover_rows;'
    ' delete from only %2$s t where not exists (select from changeover_rows r where %3$s); commit', keys, name, same)
from big where keys is not null
