-- The zoo, part 2: schemas, extensions, types, collations, sequences.
create schema zoo authorization zoo_owner;
create schema "Odd schema; $(x) 'q' ""dq"" \ {} 🦒" authorization zoo_owner;
create schema zoo_private authorization zoo_schema;
create schema "nothing in it" authorization zoo_owner;
create schema ext;
create extension pg_trgm schema ext;
create extension hstore schema ext;
create extension citext schema ext;
create extension btree_gist schema ext;
create extension pgcrypto schema ext version '1.3';
create extension "uuid-ossp" schema ext;
create extension intarray schema ext;
create extension postgres_fdw schema ext;
grant usage on schema ext to public;
comment on extension hstore is 'keys and values of animals';
revoke execute on function ext.uuid_generate_v4() from public;
grant execute on function ext.uuid_generate_v4() to zoo_group;

create collation zoo.plain (locale = 'C');
create collation zoo.phonebook (provider = icu, locale = 'de-u-co-phonebk');
create collation zoo."Ignores Case" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

create type zoo.mood as enum ('sad', 'happy', 'it''s, "odd" \ {}', '');
alter type zoo.mood add value 'meh' before 'happy';
create domain zoo.positive as integer constraint over_zero check (value > 0);
create domain zoo.small as zoo.positive default 7 constraint under_thousand check (value < 1000) not null;
create domain zoo.tags as text[] check (cardinality(value) < 10);
create domain zoo.mail as ext.citext collate zoo.plain check (value like '%@%');
create domain zoo.checked_later as text;
alter domain zoo.checked_later add constraint not_yet check (value <> 'bad') not valid;
create type zoo.address as (street text, "House No" integer, mood zoo.mood);
create type zoo.nested as (home zoo.address, others zoo.address[], at tstzrange);
create domain zoo.good_address as zoo.address check ((value)."House No" > 0);
create type zoo.floats as range (subtype = float8, subtype_diff = float8mi);
create type zoo.words as range (subtype = text, collation = "C");
create type zoo.nothing as ();
create type zoo.shell;
create type zoo."Typ mit ""Anführung"" 🐘" as enum ('ä', 'Ä');

create sequence zoo.never_called increment 7 start 3;
create sequence zoo.down as smallint increment -3 minvalue -1000 maxvalue 1000 start 5 cycle cache 20;
create sequence zoo.set_not_called minvalue 10;
create sequence zoo.used_up as integer maxvalue 3;
create sequence zoo."Seq ""q"" ; $(id) '🐍" start 9223372036854775800;
create sequence zoo_private.orphan increment by 1000000;
select nextval('zoo.down') from generate_series(1, 5) \g /dev/null
select setval('zoo.set_not_called', 42, false), nextval('zoo.used_up'), nextval('zoo.used_up'), nextval('zoo.used_up') \g /dev/null
select setval('zoo."Seq ""q"" ; $(id) ''🐍"', 9223372036854775806) \g /dev/null
