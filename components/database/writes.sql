-- Rows written since a transaction: those that are there and newer, and those deleted by the statistics; or, where those were
-- reset by a crash or a table was truncated, those that are missing from the total of that time.
select greatest(coalesce(sum(written), 0), :total - coalesce(sum(untouched), 0))::bigint from (
  select (xpath('/row/c/text()', query_to_xml(format(
    'select count(*) as c from %I.%I where age(xmin) <= age(%L::xid)', n.nspname, c.relname, :'since'), false, true, '')))[1]::text::bigint
    + greatest(coalesce(pg_stat_get_tuples_deleted(c.oid), 0), 0) as written,
    (xpath('/row/c/text()', query_to_xml(format(
    'select count(*) as c from %I.%I where age(xmin) > age(%L::xid)', n.nspname, c.relname, :'since'), false, true, '')))[1]::text::bigint as untouched
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$)'
) tables
