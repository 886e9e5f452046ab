-- Prints what the database that psql is connected to is made of: one line a thing, each a JSON list that begins with its kind.
-- Databases on servers of different major versions print the same lines exactly when they are the same. What versions call
-- differently is left out (MAINTAIN, grantors of memberships, versions of extensions, pg_attver: a server's own mark of when a
-- column was made) or normalised. For superusers, from
-- PostgreSQL 13 on: psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1. It only reads.
\set ON_ERROR_STOP on
set search_path = ''; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set extra_float_digits = 3;
set bytea_output = 'hex'; set xmloption = 'content'; set lc_monetary = 'C'; set standard_conforming_strings = on; set client_encoding = 'UTF8';
set row_security = on; set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set quote_all_identifiers = off;
begin isolation level repeatable read read only;
select current_setting('server_version_num')::int >= 150000 as from15 \gset

-- What the database's users made: the row x of a catalog is neither PostgreSQL's nor an extension's, nor a type's own function.
\set own '(x.oid >= 16384 and not exists (select from pg_depend e where e.classid = x.tableoid and e.objid = x.oid and (e.deptype = ''e'' or e.deptype = ''i'' and e.classid = ''pg_proc''::regclass)))'
-- The same for tables and the like, without those that PostgreSQL makes for itself.
\set own_relation '(x.oid >= 16384 and x.relkind <> ''t'' and x.relpersistence <> ''t'' and x.relnamespace <> ''pg_toast''::regnamespace and not exists (select from pg_depend e where e.classid = ''pg_class''::regclass and e.objid = x.oid and e.deptype = ''e''))'
-- The digest of a row, as a number: sums of these do not depend on the order of rows.
\set digest '(''x'' || left(md5(%s), 16))::bit(64)::bigint'

-- The database, its settings, and the roles.
select jsonb_build_array('database', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit, datistemplate, datallowconn,
  coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'), coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), shobj_description(oid, 'pg_database'))
from pg_database d where datname = current_database();
select jsonb_build_array('setting', case setdatabase when 0 then 'every database' else 'this database' end, coalesce(rolname, 'every role'), unnest(setconfig))
from pg_db_role_setting left join pg_roles on oid = setrole where setdatabase in (0, (select oid from pg_database where datname = current_database()))
order by 1;
select jsonb_build_array('role', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit,
  rolvaliduntil, md5(rolpassword), shobj_description(oid, 'pg_authid'))
from pg_authid where rolname !~ '^(pg_|changeover_|postgres$)' order by rolname collate "C";
select jsonb_build_array('member', r.rolname, m.rolname, a.admin_option, coalesce(to_jsonb(a) ->> 'inherit_option', m.rolinherit::text), coalesce(to_jsonb(a) ->> 'set_option', 'true'))
from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member where m.rolname !~ '^(pg_|changeover_)' order by 1;

-- Owners and comments of everything.
select jsonb_build_array('owner', o.type, o.identity, pg_get_userbyid(refobjid))
from pg_shdepend x, pg_identify_object(x.classid, x.objid, x.objsubid) o
where deptype = 'o' and dbid = (select oid from pg_database where datname = current_database()) and o.identity !~ '^pg_toast'
  and not exists (select from pg_depend e where e.classid = 'pg_proc'::regclass and x.classid = e.classid and e.objid = x.objid and e.deptype = 'i') order by 1;
select jsonb_build_array('comment', o.type, o.identity, description)
from pg_description x, pg_identify_object(classoid, objoid, objsubid) o
where (objoid >= 16384 or o.identity = 'public') and not exists (
  select from pg_depend e where e.classid = x.classoid and e.objid = x.objoid and e.deptype = 'e') order by 1;

-- Grants; where none was given, those that PostgreSQL assumes.
with acls(kind, identity, acl) as (
  select 'relation', x.oid::regclass::text, coalesce(relacl, acldefault((case relkind when 'S' then 's' else 'r' end)::"char", relowner)) from pg_class x where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and :own_relation
  union all select 'column', x.oid::regclass || '.' || quote_ident(attname), attacl from pg_class x join pg_attribute on attrelid = x.oid where :own_relation
  union all select 'routine', x.oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)) from pg_proc x where x.oid >= 16384 and (proacl is not null or :own)
  union all select 'schema', quote_ident(nspname), coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace x where nspname = 'public' or nspname !~ '^pg_' and :own
  union all select 'type', x.oid::regtype::text, coalesce(typacl, acldefault('T', typowner)) from pg_type x where typtype in ('d', 'e', 'r', 'c', 'b') and typelem = 0 and :own
  union all select 'language', lanname, coalesce(lanacl, acldefault('l', lanowner)) from pg_language
  union all select 'server', srvname, coalesce(srvacl, acldefault('S', srvowner)) from pg_foreign_server
  union all select 'wrapper', fdwname, coalesce(fdwacl, acldefault('F', fdwowner)) from pg_foreign_data_wrapper
  union all select 'large object', oid::text, coalesce(lomacl, acldefault('L', lomowner)) from pg_largeobject_metadata
  union all select 'database', '', coalesce(datacl, acldefault('d', datdba)) from pg_database where datname = current_database()
  union all select 'default of ' || defaclobjtype::text, concat_ws(' in ', pg_get_userbyid(defaclrole), quote_ident(nspname)), defaclacl from pg_default_acl left join pg_namespace n on n.oid = defaclnamespace
\if :from15
  union all select 'parameter', parname, paracl from pg_parameter_acl
\endif
)
select jsonb_build_array('grant', kind, identity, pg_get_userbyid(grantor), case grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(grantee)) end,
  string_agg(privilege_type || case when is_grantable then '*' else '' end, ' ' order by privilege_type))
from acls, aclexplode(acl) where privilege_type <> 'MAINTAIN' group by kind, identity, grantor, grantee order by 1;

-- Tables and what is like them; their columns.
select jsonb_build_array('relation', x.oid::regclass, x.relkind, x.relpersistence, jsonb_strip_nulls(jsonb_build_object('method', amname, 'identity', x.relreplident,
  'options', (select jsonb_agg(o order by o) from unnest(x.reloptions) o), 'toast', (select jsonb_agg(o order by o) from unnest(t.reloptions) o), 'row security', x.relrowsecurity, 'forced', x.relforcerowsecurity,
  'populated', x.relispopulated, 'of', nullif(x.reloftype, 0)::regtype, 'bound', pg_get_expr(x.relpartbound, x.oid), 'key', case when x.relkind = 'p' then pg_get_partkeydef(x.oid) end,
  'inherits', (select jsonb_agg(inhparent::regclass order by inhseqno) from pg_inherits where inhrelid = x.oid and x.relkind <> 'i'),
  'space', x.reltablespace, 'foreign', (select jsonb_build_array(srvname, ftoptions) from pg_foreign_table join pg_foreign_server s on s.oid = ftserver where ftrelid = x.oid))))
from pg_class x left join pg_am m on m.oid = x.relam left join pg_class t on t.oid = x.reltoastrelid
where :own_relation and x.relkind not in ('i', 'I') order by x.oid::regclass::text collate "C";
select jsonb_build_array('column', x.oid::regclass, row_number() over (partition by x.oid order by attnum), attname, format_type(atttypid, atttypmod), jsonb_strip_nulls(jsonb_build_object(
  'not null', nullif(attnotnull, false), 'identity', nullif(attidentity, ''), 'generated', nullif(attgenerated, ''), 'default', pg_get_expr(adbin, adrelid),
  'collation', nullif(attcollation, 0)::regcollation, 'storage', attstorage, 'compression', nullif(to_jsonb(a) ->> 'attcompression', ''), 'local', attislocal, 'parents', attinhcount,
  'statistics', nullif((to_jsonb(a) ->> 'attstattarget')::int, -1),
  'options', (select jsonb_agg(o order by o) from unnest(attoptions) o where o !~ '^pg_attver='), 'foreign', attfdwoptions)))
from pg_class x join pg_attribute a on attrelid = x.oid left join pg_attrdef on adrelid = x.oid and adnum = attnum
where :own_relation and attnum > 0 and not attisdropped and relkind not in ('S', 'i', 'I') order by x.oid::regclass::text collate "C", attnum;

-- Constraints, indexes, triggers, rules, policies, statistics.
select jsonb_build_array('constraint', coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text), conname, pg_get_constraintdef(oid), jsonb_build_object('valid', convalidated,
  'deferrable', condeferrable, 'deferred', condeferred, 'local', conislocal, 'parents', coninhcount, 'not inherited', contype = 'c' and connoinherit))
from pg_constraint x where contype in ('c', 'f', 'p', 'u', 'x') and :own and connamespace <> 'information_schema'::regnamespace order by 1;
select jsonb_build_array('index', indexrelid::regclass, pg_get_indexdef(indexrelid), jsonb_build_object('valid', indisvalid, 'primary', indisprimary, 'clustered', indisclustered,
  'identity', indisreplident, 'part of', (select inhparent::regclass from pg_inherits where inhrelid = x.oid),
  'statistics', (select jsonb_object_agg(attnum, to_jsonb(a) -> 'attstattarget') from pg_attribute a where attrelid = x.oid and (to_jsonb(a) ->> 'attstattarget')::int >= 0)))
from pg_class x join pg_index on indexrelid = x.oid where :own_relation order by 1;
select jsonb_build_array('trigger', tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(oid)) from pg_trigger x where not tgisinternal and tgparentid = 0 and :own order by 1;
select jsonb_build_array('rule', ev_class::regclass, rulename, ev_enabled, pg_get_ruledef(oid)) from pg_rewrite x where rulename <> '_RETURN' and :own order by 1;
select jsonb_build_array('policy', polrelid::regclass, polname, polcmd, polpermissive, (select jsonb_agg(case r when 0 then 'public' else r::regrole::text end order by r::regrole::text collate "C") from unnest(polroles) r),
  pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy x where :own order by 1;
select jsonb_build_array('statistics', stxnamespace::regnamespace, stxname, pg_get_statisticsobjdef(oid), nullif((to_jsonb(x) ->> 'stxstattarget')::int, -1)) from pg_statistic_ext x where :own order by 1;
select jsonb_build_array('event trigger', evtname, evtevent, evtenabled, evttags, evtfoid::regprocedure) from pg_event_trigger x where :own order by 1;

-- Views: versions write them with and without the names of tables before columns; which columns they read tells the rest.
select jsonb_build_array('view', x.oid::regclass, regexp_replace(regexp_replace(pg_get_viewdef(x.oid), '("([^"]|"")+"|\w+)\.', '', 'g'), '[\s()]+', '', 'g'),
  (select jsonb_agg(distinct o.identity) from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refobjid <> x.oid,
    pg_identify_object(refclassid, refobjid, refobjsubid) o where r.ev_class = x.oid))
from pg_class x where relkind in ('v', 'm') and :own_relation order by 1;

-- Functions, types, and all other kinds.
select jsonb_build_array('routine', oid::regprocedure, case when prokind <> 'a' then pg_get_functiondef(oid) else
  (select concat_ws(' ', aggtransfn, aggfinalfn, aggcombinefn, aggtranstype::regtype, agginitval) from pg_aggregate where aggfnoid = x.oid) end) from pg_proc x where :own order by 1;
select jsonb_build_array('type', x.oid::regtype, typtype, typisdefined, case typtype when 'e' then (select jsonb_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = x.oid)
  when 'r' then (select to_jsonb(concat_ws(' ', rngsubtype::regtype, rngcollation::regcollation, rngsubopc, nullif(rngsubdiff, 0)::regproc)) from pg_range where rngtypid = x.oid)
  else jsonb_build_array(format_type(nullif(typbasetype, 0), typtypmod), typnotnull, typdefault, nullif(typcollation, 0)::regcollation) end)
from pg_type x where typelem = 0 and (typrelid = 0 or typtype = 'c' and exists (select from pg_class where oid = typrelid and relkind = 'c')) and :own order by 1;
select jsonb_build_array('extension', extname, extnamespace::regnamespace) from pg_extension order by 1;
select jsonb_build_array('collation', oid::regcollation, collprovider, collcollate, collctype, collisdeterministic,
  coalesce(to_jsonb(x) ->> 'colllocale', to_jsonb(x) ->> 'colliculocale')) from pg_collation x where :own order by 1;
select jsonb_build_array('operator', oid::regoperator, oprcode, oprresult::regtype, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin, oprcanmerge, oprcanhash) from pg_operator x where :own order by 1;
select jsonb_build_array('cast', castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod) from pg_cast x where :own order by 1;
select jsonb_build_array('server', srvname, (select fdwname from pg_foreign_data_wrapper w where w.oid = srvfdw), srvtype, srvversion, (select jsonb_agg(o order by o) from unnest(srvoptions) o)) from pg_foreign_server x where :own order by 1;
select jsonb_build_array('user mapping', srvname, usename, (select md5(string_agg(o, ',' order by o)) from unnest(umoptions) o)) from pg_user_mappings order by 1;
select jsonb_build_array('text search', cfgname, t.alias, m.mapseqno, m.mapdict::regdictionary) from pg_ts_config x join pg_ts_config_map m on m.mapcfg = x.oid
  join ts_token_type(x.cfgparser) t on t.tokid = m.maptokentype where :own order by 1;
select jsonb_build_array('text search dictionary', oid::regdictionary, dictinitoption) from pg_ts_dict x where :own order by 1;
select jsonb_build_array('other', o.type, o.identity) from (
  select tableoid, oid from pg_namespace union all select tableoid, oid from pg_opfamily union all select tableoid, oid from pg_opclass union all select tableoid, oid from pg_conversion
  union all select tableoid, oid from pg_am union all select tableoid, oid from pg_language union all select tableoid, oid from pg_transform
  union all select tableoid, oid from pg_foreign_data_wrapper union all select tableoid, oid from pg_ts_parser union all select tableoid, oid from pg_ts_template) x,
  pg_identify_object(tableoid, x.oid, 0) o where :own and o.identity !~ '^pg_(toast_)?temp_' order by 1;

-- What is in it: where sequences stand, large objects, rows.
select format($$select jsonb_build_array('sequence', %L, last_value, is_called, %L::jsonb, %L::jsonb) from %s$$, x.oid::regclass, jsonb_build_array(s.seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle),
  (select jsonb_agg(pg_describe_object(refclassid, refobjid, refobjsubid)) from pg_depend where classid = 'pg_class'::regclass and objid = x.oid and deptype in ('a', 'i')), x.oid::regclass)
from pg_class x join pg_sequence s on s.seqrelid = x.oid where :own_relation order by x.oid::regclass::text collate "C" \gexec
select jsonb_build_array('large object', oid, length(lo_get(oid)), md5(lo_get(oid))) from pg_largeobject_metadata order by oid;
select format($$select jsonb_build_array('rows', %L, count(*), sum($$ || format(:'digest', '(changeover_row.*)::text') || $$)) from only %s changeover_row$$, x.oid::regclass, x.oid::regclass)
from pg_class x where relkind in ('r', 'm') and relispopulated and :own_relation order by x.oid::regclass::text collate "C" \gexec
commit;
