-- Where else (role, database) some roles log in, own or may do something; roles are one a line, name is the site's database.
select role, database from (
  select r.rolname as role, d.datname as database from pg_roles r join pg_shdepend s on s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid
    join pg_database d on d.oid = case when s.dbid = 0 and s.classid = 'pg_database'::regclass then s.objid else s.dbid end
  union
  select usename, datname from pg_stat_activity where backend_type = 'client backend') used
where role = any (string_to_array(:'roles', E'\n')) and database <> :'name'
  and database in (select datname from pg_database where not datistemplate and datname <> 'postgres')
