-- The zoo, part 1: roles and the databases `zoo` and `zoo_empty`. For PostgreSQL 13 or newer, as superuser, on a server without them.
-- The parts are one psql script (zoo.ts puts them together). Variables: rows (of the table bulk), toast (bytes of the big value).
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int >= 140000 as from14, current_setting('server_version_num')::int >= 150000 as from15 \gset
create role zoo_owner nologin;
create role zoo_group nologin;
create role zoo_schema nologin noinherit createrole;
create role "zoo's $(id) role; --" nologin bypassrls connection limit 3;
create role zoo_app login password 'app' connection limit 40 valid until '2099-12-31 00:00+00' in role zoo_group;
create role "Zoo Reader ü" login password 'reader' noinherit createdb;
grant zoo_group to "Zoo Reader ü" with admin option;
grant zoo_owner to zoo_app;
grant "zoo's $(id) role; --" to zoo_group;
grant pg_monitor to zoo_group;
alter role zoo_app set statement_timeout = '1h';
alter role "Zoo Reader ü" set search_path = "a b", "$user", public;
alter role "Zoo Reader ü" set zoo.note = E'it''s\n two lines';
alter role zoo_schema set zoo.note = '; alter role zoo_schema superuser; --';
comment on role zoo_owner is 'owns the zoo';
comment on role zoo_app is E'two lines, a quote ''\nGRANT pg_execute_server_program TO zoo_app;\n\\ and a backslash';
\if :from15
grant set on parameter log_duration to zoo_app with grant option;
create database zoo owner zoo_owner template template0 encoding 'UTF8' locale 'C.UTF-8' locale_provider icu icu_locale 'de-AT';
\else
create database zoo owner zoo_owner template template0 encoding 'UTF8' locale 'C.UTF-8';
\endif
create database zoo_empty owner zoo_owner template template0 encoding 'UTF8' locale 'C.UTF-8';
comment on database zoo is E'every kind of thing; "quoted" \\ ''and'' on\ntwo lines 🦁';
alter database zoo connection limit 60;
revoke all on database zoo from public;
grant connect, temporary on database zoo to zoo_group;
grant create on database zoo to zoo_app with grant option;
-- Settings that change how values look, and what a session may do.
alter database zoo set datestyle = 'German, DMY';
alter database zoo set intervalstyle = 'sql_standard';
alter database zoo set timezone = 'Asia/Kathmandu';
alter database zoo set extra_float_digits = '-5';
alter database zoo set bytea_output = 'escape';
alter database zoo set default_transaction_isolation = 'serializable';
alter database zoo set search_path = "$user", zoo, "Odd schema; $(x) 'q' ""dq"" \ {} 🦒";
alter database zoo set statement_timeout = '2s';
alter database zoo set idle_in_transaction_session_timeout = '2s';
alter database zoo set row_security = off;
alter database zoo set standard_conforming_strings = off;
alter role zoo_app in database zoo set role = 'zoo_owner';
alter role zoo_app in database zoo set lock_timeout = '5s';
alter role all in database zoo_empty set work_mem = '8MB';
\c zoo
-- What the database's settings would change here.
set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set standard_conforming_strings = on; set datestyle = 'ISO, YMD';
set timezone = 'UTC'; set extra_float_digits = 3; set intervalstyle = 'postgres'; set default_transaction_isolation = 'read committed';
set search_path = ''; set client_min_messages = warning;
