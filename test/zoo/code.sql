-- The zoo, part 5: functions, views, triggers, rules, policies; then owners, comments, grants; last the event triggers.
create function zoo.add(a integer, b integer default 1) returns integer language sql immutable parallel safe leakproof cost 3 return a + b;
\if :from14
create function zoo.atomic(x text) returns table (v text, n bigint) language sql stable begin atomic select t.v, count(*) from zoo.texts t where t.v = x group by t.v; end;
create procedure zoo.moved(inout a integer, out b text) language plpgsql as 'begin b := a; a := a + 1; end';
\endif
create function zoo.with_path(variadic v text[]) returns text language plpgsql security definer set search_path = zoo, "Odd schema; $(x) 'q' ""dq"" \ {} 🦒", pg_temp set datestyle = 'ISO' as
  $body$ begin return $$it's $body \ {}$$ || array_to_string(v, ','); end $body$;
create function zoo."odd name; $(id) 'q' ""dq"" \ 🐘"("a b" anyelement, out "c d" anyarray) language plpgsql as 'begin "c d" := array["a b"]; end';
create procedure zoo.proc(a integer) language plpgsql as 'begin commit; end';
create function zoo.touched() returns trigger language plpgsql as 'begin return new; end';
create function zoo.touched_all() returns trigger language plpgsql as 'begin return null; end';
create aggregate zoo.total(integer) (sfunc = int4_sum, stype = bigint, initcond = '0');
create operator zoo.=== (leftarg = text, rightarg = text, function = texteq, commutator = operator(zoo.===));
create function zoo.to_address(text) returns zoo.address language sql immutable as 'select row($1, 1, null)::zoo.address';
create cast (text as zoo.address) with function zoo.to_address(text) as assignment;
create operator family zoo.family using btree;
create text search dictionary zoo.dict (template = simple, stopwords = english);
create text search configuration zoo.german (copy = german);
alter text search configuration zoo.german alter mapping for asciiword with zoo.dict;

create view zoo.open_texts as select id, v from zoo.texts where id < 100 with cascaded check option;
create view zoo.barrier with (security_barrier) as select t.id, t.v, lower(t.w) as "low ""er" from zoo.texts t where t.id > 5;
create view zoo.joined as select c.id, p.code, (select max(b.amount) from zoo.bulk b where b.id = c.id) as most, a.name
  from zoo.children c join zoo.parents p on p.id = c.parent left join zoo.animals a on a.id = p.id order by c.id desc limit 5;
create recursive view zoo.counted (n) as values (1) union all select n + 1 from counted where n < 10;
create view zoo.instead as select 1 as one, 'x'::text as two;
alter view zoo.open_texts alter column v set default 'from the view';
\if :from15
create view zoo.invoker with (security_invoker, check_option = local) as select id from zoo.texts;
\endif
create materialized view zoo.filled with (fillfactor = 60) as select id % 10 as ten, count(*) as n, sum(amount) as s from zoo.bulk group by 1;
create unique index on zoo.filled (ten);
create materialized view zoo.on_filled as select max(n) as most from zoo.filled;
create materialized view zoo."not ""filled"" ; $(id)" as select * from zoo.kinds with no data;
create index on zoo."not ""filled"" ; $(id)" (id);

create trigger plain before insert or update of v on zoo.texts for each row when (new.v is not null) execute function zoo.touched('a''rg', E'\\x');
create trigger "always; $(id)" after update on zoo.texts for each row execute function zoo.touched();
create trigger on_replica before delete on zoo.texts for each row execute function zoo.touched();
create trigger off after truncate on zoo.texts for each statement execute function zoo.touched_all();
alter table zoo.texts enable always trigger "always; $(id)";
alter table zoo.texts enable replica trigger on_replica;
alter table zoo.texts disable trigger off;
create trigger with_tables after update on zoo.bulk referencing old table as before new table as "after" for each statement execute function zoo.touched_all();
create constraint trigger late after insert on zoo.children deferrable initially deferred for each row execute function zoo.touched();
create trigger on_parts after insert on zoo.by_range for each row execute function zoo.touched();
create trigger one_part before insert on zoo.hash_0 for each row execute function zoo.touched();
create trigger on_view instead of insert on zoo.instead for each row execute function zoo.touched();
create rule also as on insert to zoo.no_key where new.a > 5 do also insert into zoo.identity_full values (new.a, new.b);
create rule "instead; $(id)" as on delete to zoo.identity_full do instead nothing;
create rule off as on update to zoo.identity_full do instead nothing;
alter table zoo.identity_full disable rule off;
alter table zoo_private.secrets enable row level security, force row level security;
create policy readable on zoo_private.secrets for select to "Zoo Reader ü", zoo_group using (id > 0 and v <> 'it''s');
create policy "narrow; $(id)" on zoo_private.secrets as restrictive for all to public using (id < 100) with check (v is not null);
create policy off on zoo.domains for insert with check (false);
alter table zoo.no_key enable row level security;
alter table zoo.unlogged force row level security;

-- Owners: zoo_owner has all that is in its schemas, but for one table that zoo_schema's schema has in another.
select format('alter %s %I.%I owner to zoo_owner', case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end, nspname, relname)
  from pg_class c join pg_namespace n on n.oid = relnamespace where nspname in ('zoo', 'Odd schema; $(x) ''q'' "dq" \ {} 🦒') and relkind in ('r', 'p', 'v', 'm', 'f') \gexec
select format('alter sequence %s owner to zoo_owner', c.oid::regclass) from pg_class c where relkind = 'S' and relnamespace = 'zoo'::regnamespace
  and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and refclassid = 'pg_class'::regclass) \gexec
select format('alter routine %s owner to zoo_owner', oid::regprocedure) from pg_proc where pronamespace = 'zoo'::regnamespace and prokind <> 'a' \gexec
select format('alter type zoo.%I owner to zoo_owner', typname) from pg_type t where typnamespace = 'zoo'::regnamespace and typtype in ('e', 'd', 'r')
  or typrelid in (select oid from pg_class where relkind = 'c' and relnamespace = 'zoo'::regnamespace) \gexec
alter table zoo_private.secrets owner to zoo_schema;
alter table zoo.hash_1 owner to zoo_schema;
alter server "other zoo" owner to zoo_app;

-- Comments on everything that was made here: one text for all, with what a text could get wrong.
select format('comment on %s %s is %L', case type when 'composite type' then 'type' when 'statistics object' then 'statistics' else type end, identity, E'about ' || identity || E'; $(id) \\ ''q''\n🦉')
from (
  select (pg_identify_object(classid, objid, 0)).* from (
    select distinct classid, objid from pg_depend d where objid >= 16384 and not exists (
      select from pg_depend e where e.classid = d.classid and e.objid = d.objid and e.deptype in ('e', 'i', 'P', 'S'))
    union select 'pg_namespace'::regclass, oid from pg_namespace where oid >= 16384) own
) o where type in ('table', 'view', 'materialized view', 'foreign table', 'index', 'sequence', 'schema', 'type', 'domain', 'composite type', 'collation', 'function', 'procedure',
  'aggregate', 'operator', 'cast', 'operator family', 'text search dictionary', 'text search configuration', 'statistics object', 'server')
  and identity !~ '^pg_' and type || identity <> 'typezoo.shell' \gexec
select format('comment on column %s.%I is %L', attrelid::regclass, attname, 'column ' || attname) from pg_attribute
  where attrelid in ('zoo.kinds'::regclass, 'zoo.address'::regclass, 'zoo.barrier'::regclass, 'zoo.filled'::regclass,
    'zoo."PROGRAM :''horizon'' :piece it''s; $(id) `id` ""q"" \ {}%s 🦓"'::regclass) and attnum > 0 and not attisdropped \gexec
comment on constraint "to parent; $(id)" on zoo.children is 'a constraint''s';
comment on constraint t_pkey on "Odd schema; $(x) 'q' ""dq"" \ {} 🦒".t is 'the first that a dump has behind the rows';
comment on constraint over_zero on domain zoo.positive is 'a domain''s constraint';
comment on trigger "always; $(id)" on zoo.texts is 'a trigger';
comment on rule "instead; $(id)" on zoo.identity_full is 'a rule';
comment on policy "narrow; $(id)" on zoo_private.secrets is 'a policy';

-- Grants: to columns, with options, by others, to everybody; and what is granted on things to come.
grant usage on schema zoo to public, "Zoo Reader ü";
grant usage, create on schema zoo_private to zoo_group with grant option;
revoke all on schema public from public;
grant all on zoo.bulk to zoo_app;
grant select (id, payload), update (payload) on zoo.bulk to "Zoo Reader ü";
grant select ("a,b ""c"" \N '{}"), insert ("PROGRAM"), references ("select") on zoo."PROGRAM :'horizon' :piece it's; $(id) `id` ""q"" \ {}%s 🦓" to "Zoo Reader ü" with grant option;
grant select on zoo.texts, zoo.open_texts, zoo.filled, zoo.by_range to public;
grant insert, delete, truncate, references, trigger on zoo.texts to zoo_group with grant option;
set role zoo_group;
grant insert on zoo.texts to "zoo's $(id) role; --";
reset role;
revoke update on zoo.serials from zoo_owner;
revoke all on zoo.identity_nothing from zoo_owner;
grant usage, select on sequence zoo.never_called, zoo.serials_id_seq to zoo_app;
grant usage on type zoo.mood to zoo_app with grant option;
revoke usage on type zoo.positive from public;
revoke execute on function zoo.add(integer, integer) from public;
grant execute on function zoo.add(integer, integer), zoo.with_path(text[]) to zoo_app with grant option;
grant execute on procedure zoo.proc(integer) to "zoo's $(id) role; --";
grant usage on foreign server "other zoo" to zoo_group;
revoke usage on language plpgsql from public;
grant usage on language plpgsql to zoo_owner;
alter default privileges for role zoo_owner in schema zoo grant select on tables to zoo_group;
alter default privileges for role zoo_owner in schema zoo grant usage on sequences to zoo_app with grant option;
alter default privileges for role zoo_owner revoke execute on functions from public;
alter default privileges for role zoo_schema grant all on schemas to "Zoo Reader ü";
alter default privileges grant insert on tables to zoo_app;

create function zoo.on_ddl() returns event_trigger language plpgsql as 'begin raise debug ''%'', tg_tag; end';
create function zoo.refuse_ddl() returns event_trigger language plpgsql as 'begin raise exception ''no DDL here''; end';
create event trigger watched on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE') execute function zoo.on_ddl();
create event trigger "always; $(id)" on sql_drop execute function zoo.on_ddl();
create event trigger refused on ddl_command_start execute function zoo.refuse_ddl();
comment on event trigger watched is 'an event trigger';
alter event trigger "always; $(id)" enable always;
alter event trigger refused disable;
analyze;
