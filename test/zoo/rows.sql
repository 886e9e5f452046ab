-- The zoo, part 4: rows, among them every value that a text form could get wrong.
insert into zoo.identities (v) select 'v' || i from generate_series(1, 12) i;
insert into zoo.serials (v) select nullif('v' || i, 'v3') from generate_series(1, 5) i;
insert into zoo.no_key values (1, 'twice'), (1, 'twice'), (null, null), (2, '');
insert into zoo.unique_only values (1, 'a', null), (1, 'b', 'c'), (2, null, '');
insert into zoo.identity_index values (1, 'a'), (2, null);
insert into zoo.identity_full values (1, 'a'), (1, 'a');
insert into zoo.identity_nothing values (1), (2);
insert into zoo.no_columns select from generate_series(1, 3);
insert into zoo.dropped_all select from generate_series(1, 2);
insert into zoo.dropped (k2, k1, v) select 'k' || i, i % 3, null from generate_series(1, 9) i;
insert into zoo.unlogged (v) select 'u' || i from generate_series(1, 4) i;
insert into zoo.generated (a, b) select i, 'straße' || i from generate_series(1, 7) i;
insert into zoo.generated_only default values;
insert into zoo.domains values (1, 5, 'A@example.org', '{a,NULL,"b c"}', 'fine', row('Oak', 1, 'meh')), (999, null, null, null, null, null);
insert into zoo.of_type values ('Elm', 2, 'happy'), ('', default, null);
insert into zoo."PROGRAM :'horizon' :piece it's; $(id) `id` ""q"" \ {}%s 🦓"
  select i, 'PROGRAM', E'\\N', E'PROGRAM\t:''snapshot''\n\\.', case i % 2 when 0 then 'ä' else 'Ä' end::zoo."Typ mit ""Anführung"" 🐘" from generate_series(1, 6) i;
insert into "Odd schema; $(x) 'q' ""dq"" \ {} 🦒".t values (1, 'z', 2, ' '), (2, null, null, '');
insert into zoo_private.secrets values (1, 'hidden'), (2, 'hidden too');

insert into zoo.kinds values (1, true, 32767, 2147483647, 9223372036854775807, 3.4028235e38, 1.7976931348623157e308,
  ('1' || repeat('0', 5000) || '.' || repeat('9', 300))::numeric, 123456789012345.12345, E'tab\t nl\n cr\r bs\\ quote '' "', '  spaced  ', 'pad', 'a name', 'x',
  '\x00ff5c0a0d00275c4e', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" : 1, "a": 2, "b":  [1,  2]}', '{"k": "\u00e9 \\ \n", "n": 1e-10, "z": 1.10}', '$."a"[*] ? (@ > 1)',
  '<a b="c">text &amp; more</a>', '294276-12-31'::timestamp::date, '24:00:00', '23:59:60+15:59', '294276-12-31 23:59:59.999999', '294276-12-30 23:59:59.999 UTC',
  '178000000 years -1 mons +3 days -04:05:06.789', B'10110', B'', 12345.67, '(1.1,-2e300)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,0),(1,1))',
  '<(0.1,0.2),0.3>', '2001:db8::1/64', '198.51.100.0/24', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', $$'it''s' 'a\\b':1A,2 cat:3B$$, $$'fat cat' & !rat:AB | 'x\\'$$,
  'FFFFFFFF/FFFFFFFF', '10:20:10,14,15', 4294967295, '4294967295', '(4294967295,65535)', '1 2 3', 'it''s, "odd" \ {}', '{sad,"it''s, \"odd\" \\ {}",NULL,""}',
  row(E'a,"b" \\ (c)', null, 'meh'), array[row('', 1, ''), null, row(null, null, null)]::zoo.address[],
  row(row('x', 1, 'sad'), array[row(E'y\n', 2, null)]::zoo.address[], '[2024-01-01 00:00+00,infinity)'), row()::zoo.nothing,
  'empty', '[1.10,)', '(,2024-01-01 00:00+00]', '[-infinity,1e-300)', '["a, b","z\\")', '{NULL,"NULL","",\\N,"a\"b","{"}', '[-1:0][3:4]={{1,2},{3,NULL}}', '"a=>b"=>NULL, k=>"", "q\""=>"\\"', 'CiText', 'ÄäÀ', '{1,NULL}');
insert into zoo.kinds (id, f4, f8, n, d, ts, tsz, iv, t, vc, ch, bytes, texts, jb, j, r4, b, tiny, money, tm) values
  (2, 'NaN', '-Infinity', 'NaN', 'infinity', '-infinity', 'infinity', '0', '', '', '', '', '{}', 'null', 'null', '[1,1]', false, '', '-92233720368547758.08', '00:00'),
  (3, '-0', '5e-324', ('0.' || repeat('0', 3000) || '1')::numeric, '4713-01-01 BC', '4713-11-24 00:00:00 BC', '0044-03-15 12:00+00 BC', '-1 mon +1 day -1 us', E'\\N', '\.', E'\\', E'\\x5c', E'{"\\\\"}', '"\\N"', E' {\n} ', '(,)', null, E'\\200', 0, '12:00'),
  (4, '1e-45', 0.1 + 0.2::float8, -0.00, '0001-12-31 BC', '2024-02-29 23:59:59.999999', 'epoch', '1 year', 'NULL', 'null', 'NULL', 'NULL', '{{a}}', '[]', '[]', '[2147483646,2147483647)', true, 'n', 1, '23:59:59.999999');
\if :from14
insert into zoo.kinds (id, n, iv, mr, mf) values (5, 'Infinity', '1 day', '{[1,3),[5,)}', '{[0.1,0.2],(5,Infinity)}'), (6, '-Infinity', '2 days', '{}', null);
\endif
insert into zoo.registered values (1, 'zoo.kinds', 'zoo.nested', 'now', 'pg_catalog.lower(text)', 'pg_catalog.||/', 'pg_catalog.+(integer,integer)', 'zoo', 'zoo_app', 'pg_catalog.german', 'pg_catalog.simple'),
  (2, 'zoo."PROGRAM :''horizon'' :piece it''s; $(id) `id` ""q"" \ {}%s 🦓"', 'zoo."Typ mit ""Anführung"" 🐘"[]', null, null, null, null, '"Odd schema; $(x) ''q'' ""dq"" \ {} 🦒"', '"Zoo Reader ü"', null, null);
-- Every character that a text may hold, alone and between others; then what looks like COPY's own marks.
insert into zoo.texts select i, chr(i), 'a' || chr(i) || 'b' from generate_series(1, 300) i;
insert into zoo.texts select 1000 + i, chr(c), chr(c) || chr(c) from unnest(array[8232, 8233, 55295, 57344, 65279, 65533, 65534, 65535, 65536, 128000, 1114111]) with ordinality v(c, i);
insert into zoo.texts select 2000 + i, v, nullif(v, '') from unnest(array[E'\\N', E'\\.', E'\n\\.\n', E'\\', E'\\\\', '', ' ', E'\t', E'\\t', E'\r\n', E'\n', 'NULL', 'null',
  E'\\x41', E'\\101', '$(id)', '`id`', '$1', '''', '''''', '"', ';', '--', '/*', '{}', '%s', ':var', ':''var''', 'é', E'e\u0301', repeat('x', 10000)]) with ordinality v(v, i);
insert into zoo.texts values (3000, null, null);
-- One value that is stored out of line, whatever its size, and cannot be compressed.
insert into zoo.big_value select 1, string_agg(md5(i::text), ''), '\x' from generate_series(1, greatest(1, :toast / 32)) i;
insert into zoo.big_value select 2, repeat('compressible ', 100000), decode(repeat('00ff', 100000), 'hex');
insert into zoo.bulk (payload, amount, tags, created) select md5(i::text) || repeat('-', i % 100), i * 0.01, array[i::text, null], '2024-01-01 00:00+00'::timestamptz + i * interval '1 s' from generate_series(1, :rows) i;
delete from zoo.bulk where id % 7 = 0;
update zoo.bulk set payload = null where id % 11 = 0;
insert into zoo.options values (1, repeat('y', 5000));

insert into zoo.by_range select i, date '2023-06-01' + i * 60, 'v' || i from generate_series(1, 30) i;
insert into zoo.by_range select i, '2024-05-05', 'v' || i from generate_series(1, 20) i;
insert into zoo.by_hash select case i % 3 when 0 then 'sad' when 1 then 'happy' end::zoo.mood, 'b' || i, i from generate_series(1, 10) i;
insert into zoo.animals (name) values ('plain'), ('animal');
insert into zoo.cats (id, name, lives) overriding system value values (100, 'tom', 7), (101, 'kitty', 9);
insert into zoo.otters (id, depth) overriding system value values (200, 1.50);
insert into zoo.swimmers values (3);
begin;
insert into zoo.parents values (1, 'a', 2, 10), (2, 'b', 1, 11), (3, 'c', 3, null);
insert into zoo.children values (10, 1, 'a'), (11, 2, 'b');
commit;
insert into zoo.to_partitions select at, id from zoo.by_range limit 5;
insert into zoo.booked values (1, '[2024-01-01,2024-01-02)', 'x'), (1, '[2024-01-01,2024-01-03)', 'waiting'), (2, 'empty', null);
\if :from15
insert into zoo.nulls_once values (null, 1, 1), (1, 2, 2);
insert into zoo.nulls_partly values (1, 1), (null, 2);
\endif
select lo_from_bytea(4200001, decode(repeat('00ff5c', 500000), 'hex')), lo_from_bytea(4200002, ''), lo_from_bytea(0, 'plain') is not null \g /dev/null
alter large object 4200001 owner to zoo_owner;
comment on large object 4200001 is 'one; $(id) ''large'' object';
grant select on large object 4200001 to "Zoo Reader ü";
grant select, update on large object 4200002 to zoo_group with grant option;
