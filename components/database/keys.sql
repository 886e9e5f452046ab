-- Indexes and keys of the tables in :names (one a line), as pg_restore lists them: catalog and number.
select '1259 ' || i.indexrelid from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
where format('%I.%I', n.nspname, c.relname) = any (string_to_array(:'names', E'\n'))
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
union all
select '2606 ' || k.oid from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where format('%I.%I', n.nspname, c.relname) = any (string_to_array(:'names', E'\n')) and k.contype in ('p', 'u', 'x')
