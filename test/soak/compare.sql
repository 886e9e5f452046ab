-- One table for each thing that could make equal rows look different, or different ones equal.
create extension citext;
create extension hstore;
create type mood as enum ('sad', 'ok', 'happy');
create domain positive as int check (value > 0);
create type pair as (a int, b text);

create table "Wéird ""name""" (
  id bigint generated always as identity primary key, "c'ol ☃" text, gone int,
  size int generated always as (length("c'ol ☃")) stored);
alter table "Wéird ""name""" drop column gone;
insert into "Wéird ""name""" ("c'ol ☃")
select case when i % 7 = 0 then null when i % 5 = 0 then '' else 'v' || i end from generate_series(1, 3000) i;

create table types (
  a int, b text, f8 double precision, f4 real, n numeric, ts timestamptz, iv interval, by bytea, j jsonb, js json, arr int[],
  fa float8[], m mood, d positive, p pair, r int4range, tr tstzrange, u uuid, inet inet, x xml, mo money, ct citext, h hstore,
  pt point, bt bit(5), tsv tsvector, dt date, tm time, reg regclass, primary key (b, a));
insert into types
select i, chr(97 + i % 26) || '-' || i || case when i % 3 = 0 then 'Ä' else '' end, i / 3.0, (i / 7.0)::real, i / 11.0,
  '2024-01-01'::timestamptz + i * interval '1 hour', i * interval '1 day 3 min', decode(md5(i::text), 'hex'),
  jsonb_build_object('b', i, 'a', array[1, i]), '{"z": 1,  "a": 2}', array[i, null, 3], array[0.1, i / 3.0], 'ok', i,
  ('(' || i || ',"x,y")')::pair, int4range(i, i + 5), tstzrange('2024-01-01', null), md5(i::text)::uuid, '10.0.0.1', '<a/>',
  12.5, 'Ab', 'a=>1', point(i / 3.0, 2), '10101', to_tsvector('english', 'some words'), '2024-02-29', '12:34:56.789', 'pg_class'
from generate_series(1, 3000) i;
insert into types (a, b) values (0, '');

create table letters (k citext primary key, v int);
insert into letters select case when i % 2 = 0 then 'K' else 'k' end || i, i from generate_series(1, 2000) i;
create table moods (k mood, at timestamptz, f float8, primary key (k, at, f));
insert into moods select (array['sad', 'ok', 'happy']::mood[])[1 + i % 3], '2024-01-01'::timestamptz + i * interval '1.234567 s', i / 3.0
from generate_series(1, 1000) i;
create table keyless (a int, b text);
insert into keyless select i % 10, 'x' from generate_series(1, 500) i;
create table narrow (x text not null unique, y int);
insert into narrow select 'k' || i, i from generate_series(1, 500) i;
create table parts (id int, at date, primary key (id, at)) partition by range (at);
create table parts_2020 partition of parts for values from ('2020-01-01') to ('2021-01-01');
create table parts_2021 partition of parts for values from ('2021-01-01') to ('2022-01-01');
insert into parts select i, '2020-12-01'::date + i % 60 from generate_series(1, 500) i;
create table parent (id int primary key, t text);
create table child (extra text, primary key (id)) inherits (parent);
insert into parent select i, 'p' from generate_series(1, 100) i;
insert into child select i, 'c', 'e' from generate_series(101, 200) i;
create unlogged table unlogged (id int primary key);
insert into unlogged select generate_series(1, 100);
create table empty (id int primary key);
create table no_columns ();
insert into no_columns default values;
create table secret (id int primary key, who text);
insert into secret select i, 'w' from generate_series(1, 100) i;
alter table secret enable row level security;
alter table secret force row level security;
create materialized view counts as select count(*) as n from types;
create materialized view unread as select 1 as n with no data;
create schema changeover_shop;
create table changeover_shop.own (id int);
create schema "S pace";
create table "S pace".t (id int primary key, v text collate "C");
insert into "S pace".t select i, 'v' from generate_series(1, 100) i;
create sequence down increment -1 start -1 minvalue -100 maxvalue -1;
select nextval('down'), nextval('down');
create sequence unused;
select lo_from_bytea(4242, decode(repeat('ab', 5000), 'hex'));
select lo_create(4243), lo_put(4243, 10000, '\x01');
select lo_create(4244);
