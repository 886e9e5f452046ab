-- Rows written to each table since a transaction: those that are there, and those deleted since the statistics' baseline.
select coalesce(sum(written), 0)::bigint from (
  select (xpath('/row/c/text()', query_to_xml(format(
    'select count(*) as c from %I.%I where age(xmin) <= age(%L::xid)', n.nspname, c.relname, :'since'), false, true, '')))[1]::text::bigint
    + greatest(coalesce(pg_stat_get_tuples_deleted(c.oid), 0), 0) as written
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$)'
) tables
