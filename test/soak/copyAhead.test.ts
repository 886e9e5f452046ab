/** Big tables are copied while somebody writes to them: what comes out on new is what old had when the fence stood. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({
    name: "test-ahead",
    database: { strategy: "dump" },
    env: { DEMO_DB_PASSWORD: "writer" },
    // The shop's cron job writes a row each minute.
    settings: { "changeover:acceptLostWrites": 1000 },
  });
  await shop.script("old", asPostgres(tables));
  await shop.moveTo("app");
});
afterAll(() => shop.close());

const asPostgres = (sql: string) =>
  `cd / && runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 shop <<'SQL'\n${sql}\nSQL`;

/** One table for each way in which rows are found again: key of one column, of several, odd texts, none. */
const tables = `
set role shop;
create table plain (id bigint generated always as identity primary key, v text, double_id bigint generated always as (id * 2) stored);
create table "Odd ""names"" ; $()" ("k 1" text, "k'2" date, v jsonb, primary key ("k'2", "k 1"));
create table no_key (id bigint, v text);
create table refilled (id integer primary key, v numeric);
create table key_generated (id integer, k integer generated always as (id + 1) stored primary key);
insert into plain (v) select md5(i::text) from generate_series(1, 20000) i;
insert into "Odd ""names"" ; $()" select E'a\\\\\\tb\\n''' || i, date '2020-01-01' + i, jsonb_build_object('n', i) from generate_series(1, 5000) i;
insert into no_key select i, 'x' from generate_series(1, 1000) i;
insert into refilled select i, i from generate_series(1, 1000) i;
insert into key_generated select i from generate_series(1, 100) i;`;

/** Writes of all kinds, again and again, until the fence ends the session; each is one transaction. */
const writes = `
insert into plain (v) select 'new ' || random() from generate_series(1, 5);
update plain set v = 'changed ' || random() where id in (select id from plain order by random() limit 5);
delete from plain where id in (select id from plain order by random() limit 3);
update "Odd ""names"" ; $()" set "k 1" = "k 1" || 'x', v = v || '{"moved": true}' where "k'2" = date '2020-01-01' + (random() * 5000)::int;
delete from "Odd ""names"" ; $()" where "k'2" = date '2020-01-01' + (random() * 5000)::int;
insert into no_key values (1, 'again'); delete from no_key where ctid in (select ctid from no_key limit 2);
begin; truncate refilled; insert into refilled select i, random() from generate_series(1, 1000) i; commit;
begin; savepoint a; insert into key_generated select coalesce(max(id), 0) + 1 from key_generated; release a; commit;`;

/** Starts the writer on old; it stops by itself when the fence ends its session. */
async function startWriter(): Promise<void> {
  await shop.script(
    "old",
    `cat >/root/writes.sql <<'SQL'\n${writes}\nSQL
systemd-run --quiet --unit=writer --setenv=PGPASSWORD=writer bash -c 'yes "\\i /root/writes.sql" | psql -X -q -v ON_ERROR_STOP=1 "host=127.0.0.1 dbname=shop user=shop"'`,
  );
}

/** Count and checksum of every table of the test. */
async function contents(side: "old" | "new"): Promise<string> {
  return shop.script(
    side,
    `cd / && for t in plain '"Odd ""names"" ; $()"' no_key refilled key_generated; do runuser -u postgres -- psql -XAtq shop -c "select '$t', count(*), sum(hashtextextended(t::text, 0)::numeric) from $t t"; done`.replaceAll(
      "$()",
      "\\$()",
    ),
  );
}

describe("copying big tables ahead of the page", () => {
  it("brings updates, deletes, new keys, refilled tables and rows of tables without a key", async () => {
    const before = await contents("old");
    await startWriter();
    await shop.moveTo("database");
    const old = await contents("old");
    expect(old).not.toBe(before);
    expect(await contents("new")).toBe(old);
    const log = await shop.script("new", "cat /var/lib/changeover/shop/database-switch/progress");
    expect(log).toContain("while users are served");
  });

  it("builds the keys of those tables once, and valid", async () => {
    const keys = (side: "old" | "new") =>
      shop.script(
        side,
        asPostgres(
          "\\pset tuples_only\nselect pg_get_indexdef(indexrelid), indisvalid from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = 'public'::regnamespace order by 1",
        ),
      );
    expect(await keys("new")).toBe(await keys("old"));
  });

  it("goes back", async () => {
    await shop.moveTo("app");
    expect(await shop.script("new", asPostgres("select 1").replace(" shop <<", " postgres <<"))).toContain(
      "1",
    );
  });
});

describe("what changes while the copy begins", () => {
  it("a changed table ends the switch before any user notices more than the page, and the next run goes on", async () => {
    const alter = shop.script(
      "new",
      `until [[ $(cd / && runuser -u postgres -- psql -XAtq postgres -c "select count(*) from pg_database where datname = 'shop'") == 1 ]]; do sleep 0.05; done`,
    );
    const up = shop.stack.configure({ "changeover:phase": "database" }).then(() => shop.stack.up());
    await alter;
    await shop.script("old", asPostgres("alter table plain add column late text"));
    const { exitCode, all } = await up;
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain("were changed while the copy began");
    expect(
      await shop.script("old", asPostgres("select rolcanlogin from pg_roles where rolname = 'shop'")),
    ).toContain("t");

    await shop.moveTo("database");
    expect(await contents("new")).toBe(await contents("old"));
    await shop.moveTo("app");
  });

  it("a database of that name that is not this move's is never touched", async () => {
    const create = shop.script(
      "new",
      `until [[ -e /var/lib/changeover/shop/database-switch/script.work ]]; do sleep 0.02; done
cd / && runuser -u postgres -- psql -X -q postgres -c 'create database shop' && runuser -u postgres -- psql -X -q shop -c 'create table precious ()'`,
    );
    await shop.stack.configure({ "changeover:phase": "database" });
    const [{ exitCode, all }] = await Promise.all([shop.stack.up(), create]);
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain("is on new already, and not by this move");
    expect(await shop.script("new", asPostgres("\\dt precious"))).toContain("precious");
    await shop.script("new", "cd / && runuser -u postgres -- dropdb shop");
    await shop.moveTo("database");
  });
});
