-- What ANALYZE is run on: tables and materialized views, the biggest first; a partitioned table stands for its partitions.
select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm', 'p') and c.relpersistence <> 't' and not c.relispartition and n.nspname !~ '^(pg_|information_schema$)'
order by pg_table_size(c.oid) desc
