-- Tables of :small bytes or more in :workers pieces, or more where one would have over :piece bytes: name, the statement that
-- reads a piece on old, the one that writes it on new (PROGRAM stands for the program that prints it).
-- Rows travel in binary form where all of a table's types have one that is the same in every version. Only plain tables:
-- partitions, unlogged tables and tables of extensions are left to pg_dump, which knows their rules.
select t.name,
  format('copy (select %s from only %s%s) to stdout%s', t.columns, t.name, case when t.pieces > 1 then
    format(' where ctid >= %L', format('(%s,0)', piece * t.pages / t.pieces))
    || case when piece < t.pieces - 1 then format(' and ctid < %L', format('(%s,0)', (piece + 1) * t.pages / t.pieces)) else '' end
    else '' end, t.form),
  format('copy %s (%s) from program ''PROGRAM''%s', t.name, t.columns, t.form)
from (
  select format('%I.%I', n.nspname, c.relname) as name, pg_table_size(c.oid) as size, columns.columns,
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
  where c.relkind = 'r' and c.relpersistence = 'p' and not coalesce((to_jsonb(c) ->> 'relispartition')::boolean, false)
    and n.nspname !~ '^(pg_|information_schema$)' and pg_table_size(c.oid) >= :small
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
) t cross join lateral generate_series(0, t.pieces - 1) piece
where t.name || t.columns !~ '[[:cntrl:]]'
order by t.size desc, t.name, piece
