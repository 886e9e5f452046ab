-- Every sequence, with what it adds each time.
select format('%I.%I', n.nspname, c.relname) as name, s.seqincrement::text as increment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_sequence s on s.seqrelid = c.oid
where c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$|changeover_)'
order by 1
