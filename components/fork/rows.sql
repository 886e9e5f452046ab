-- For each table: rows that are newer than a transaction, and how many were deleted since the statistics began.
select format('%I.%I', n.nspname, c.relname),
  (xpath('/row/c/text()', query_to_xml(format(
    'select count(*) as c from %I.%I where age(xmin) <= age(%L::xid)', n.nspname, c.relname, :'since'), false, true, '')))[1]::text,
  greatest(coalesce(pg_stat_get_tuples_deleted(c.oid), 0), 0)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$)'
order by 1
