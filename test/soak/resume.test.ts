/** The copy that new's database begins with is interrupted: what came completely stays, the rest comes by the next run. */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  allowFollowing,
  followDatabase,
  publishChanges,
  switchOver,
} from "../../components/database/database.ts";
import { sharedSettings } from "../../components/site.ts";
import { type Step, stepScript } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { type MoveConfig, parseConfig } from "../../stacks/config.ts";
import { phaseNumber } from "../../stacks/runbook.ts";

let shop: Shop;
let settings: MoveConfig;
/** The steps that come with the copy, as a runbook has them. */
let steps: Record<"allow" | "publish" | "follow" | "switchOver", Step>;
beforeAll(async () => {
  shop = await openShop({
    name: process.env["LAB_NAME"] ?? "test-resume",
    env: { DEMO_DB_PASSWORD: "writer" },
  });
  await query("old", tables);
  // The line from old to new is slow enough for a table to be half copied when it is struck.
  await limitLine("add", "100mbit");
  await shop.moveTo("prepared");
  const raw = Object.entries(demoSettings(shop.lab)).map(([key, value]) => [
    key.replace("changeover:", ""),
    value,
  ]);
  settings = parseConfig(Object.fromEntries(raw) as Record<string, unknown>);
  steps = {
    allow: allowFollowing(settings, []),
    publish: publishChanges(settings),
    follow: followDatabase(settings),
    switchOver: switchOver(settings),
  };
});
afterAll(() => shop.close());

/** Limits the line from old to new. */
function limitLine(verb: "add" | "change", rate: string): Promise<unknown> {
  const limit = ["tbf", "rate", rate, "burst", "256kb", "latency", "50ms"];
  return shop.network("tc", "qdisc", verb, "dev", "vb-new", "root", ...limit);
}

/** Runs a step, or its undo, as its resource would. */
function send(step: Step, verb: "do" | "undo") {
  const access = { old: settings.old, new: settings.new };
  const context = { move: settings.move, access, settings: sharedSettings(settings), retain: false };
  return execa(join(import.meta.dirname, "../../lab/ssh"), [step.side, "bash", "-s", verb], {
    env: { LAB_NAME: shop.lab.name },
    input: stepScript(context, step, phaseNumber("app")),
    reject: false,
    all: true,
  });
}

/** Runs steps, or their undos; fails with all that one printed, unless it ended well. */
async function must(verb: "do" | "undo", ...names: (keyof typeof steps)[]): Promise<void> {
  for (const name of names) {
    const { exitCode, all } = await send(steps[name], verb);
    expect(exitCode, all).toBe(0);
  }
}

/** SQL in a side's shop database, as superuser; what it prints. */
async function query(side: "old" | "new", sql: string, database = "shop"): Promise<string> {
  return shop.script(
    side,
    `cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 ${database} <<'SQL'\n${sql}\nSQL`,
  );
}

/** The biggest table comes first, and refers to one that comes later; one has no key, one is in parts, which pg_dump brings. */
const tables = `
set role shop;
create table parent (id bigint primary key, v text not null, padding text not null);
create table child (id bigint generated always as identity primary key, parent bigint references parent on delete cascade, v text, padding text not null);
create index child_v on child (v);
create table no_key (id bigint, v text, padding text not null);
create table parts (id bigint primary key, v text) partition by hash (id);
create table parts_0 partition of parts for values with (modulus 2, remainder 0);
create table parts_1 partition of parts for values with (modulus 2, remainder 1);
create unlogged table unlogged (id bigint primary key);
insert into parent select i, 'x', repeat(md5(i::text), 30) from generate_series(1, 40000) i;
insert into child (parent, v, padding) select 1 + i % 40000, 'x', repeat(md5(i::text), 30) from generate_series(1, 60000) i;
insert into no_key select i, 'x', repeat(md5(i::text), 30) from generate_series(1, 20000) i;
insert into parts select i, 'x' from generate_series(1, 5000) i;
insert into unlogged select generate_series(1, 10);
create materialized view totals as select v, count(*) from child group by v;
create unique index on totals (v);
create function stamp() returns trigger language plpgsql as $$ begin new.v := new.v || '!'; return new; end $$;
create trigger stamp before insert on parent for each row execute function stamp();
select lo_from_bytea(0, 'kept') \\g /dev/null`;

/** Writes of all kinds to every table, again and again. */
const writes = `
begin; insert into parent select coalesce(max(id), 0) + 1, 'new', 'p' from parent; insert into child (parent, v, padding) select max(id), 'new', 'p' from parent; commit;
update parent set v = 'changed ' || random() where id = (select (random() * 40000)::int);
update child set v = 'changed ' || random() where id = (select (random() * 60000)::int);
delete from parent where id = (select (random() * 40000)::int);
delete from child where id = (select (random() * 60000)::int);
insert into no_key values (1, 'again', 'p'); update no_key set v = 'changed' where ctid in (select ctid from no_key limit 1); delete from no_key where ctid in (select ctid from no_key limit 2);
insert into parts select max(id) + 1, 'new' from parts; update parts set v = v || 'x' where id = (select (random() * 5000)::int);
select pg_sleep(0.01) \\g /dev/null`;

/** Starts the writer on old. It goes on by itself after a restart of PostgreSQL, and is let in nowhere while old is fenced. */
async function startWriter(): Promise<void> {
  await shop.script(
    "old",
    `cat >/root/writes.sql <<'SQL'\n${writes}\nSQL
systemctl stop writer 2>/dev/null
systemd-run --quiet --collect --unit=writer --setenv=PGPASSWORD=writer bash -c 'while sleep 0.1; do yes "\\i /root/writes.sql" | psql -X -q -v ON_ERROR_STOP=1 "host=127.0.0.1 dbname=shop user=shop"; done'`,
  );
}

/** Stops the writer, and returns when it has written. */
async function stopWriter(): Promise<void> {
  await shop.script("old", "systemctl stop writer");
  expect(Number(await query("old", "select count(*) from parent where v like 'new%'"))).toBeGreaterThan(20);
}

/** Count and checksum of every table that replication carries. */
const contents = (side: "old" | "new") =>
  query(
    side,
    [
      "parent",
      "child",
      "no_key",
      "parts_0",
      "parts_1",
      "orders",
      "customers",
      "audit.order_changes",
      "job_runs",
    ]
      .map((t) => `select '${t}', count(*), sum(hashtextextended(t::text, 0)::numeric) from ${t} t;`)
      .join("\n"),
  );

/** Both sides come to have the same rows. */
async function expectEqual(): Promise<void> {
  await expect
    .poll(async () => (await contents("new")) === (await contents("old")), {
      timeout: 120_000,
      interval: 500,
    })
    .toBe(true);
}

/** The tables of new's database that have come completely, and those that have not, each with its file. */
async function copied(): Promise<{ complete: string[]; incomplete: string[] }> {
  const files = async (having: string) =>
    (
      await query(
        "new",
        `select relation::regclass || ' ' || pg_relation_filenode(relation) from changeover_shop.copied
         group by relation having ${having} order by 1`,
      )
    ).split("\n");
  return { complete: await files("bool_and(done)"), incomplete: await files("not bool_and(done)") };
}

/** The same tables with the files that they have now. */
async function filesNow(tableFiles: string[]): Promise<string[]> {
  const names = tableFiles.map((line) => `'${line.split(" ")[0]}'`).join(", ");
  return (
    await query(
      "new",
      `select t::regclass || ' ' || pg_relation_filenode(t) from unnest(array[${names}]::regclass[]) t order by 1`,
    )
  ).split("\n");
}

/** Begins the copy, or goes on with it, and does something on new at a certain moment: all that the step printed. */
async function strike(action: string, when = halfWay): Promise<string> {
  const [{ exitCode, all }, struck] = await Promise.all([
    send(steps.follow, "do"),
    shop
      .script(
        "new",
        `cd /; end=$((SECONDS + 120))
until [[ $(runuser -u postgres -- psql -XAtq shop -c "${when}" 2>/dev/null) == t ]]; do
  ((SECONDS < end)) || { echo "the copy never came that far" >&2; exit 1; }
  sleep 0.05
done
${action}`,
      )
      .catch(String),
  ]);
  expect(exitCode, all).not.toBe(0);
  expect(struck, all).toBe("");
  return all;
}

/** One big table has come completely, another one half. */
const halfWay = `select exists (select from changeover_shop.copied group by relation having bool_and(done) and min(part) >= 0)
  and exists (select from pg_stat_progress_copy p join changeover_shop.copied c on c.relation = p.relid where not done and tuples_processed > 1000)`;
const brings = "select exists (select from pg_subscription_rel where srsubstate = 'd')";
const killUnit = "systemctl kill --signal=KILL changeover-shop-database-follow";
const kept = "what had come completely is kept";
const progress = () => shop.script("new", "cat /var/lib/changeover/shop/database-follow/progress");

/** What a move leaves on a side while one follows the other; the fence's group belongs to the steps before. */
const remains = (side: "old" | "new") =>
  query(
    side,
    `select 'slot', slot_name::text from pg_replication_slots union all select 'subscription', subname from pg_subscription
union all select 'database', datname from pg_database where datname ~ 'shop' and ${side === "new"} union all select 'role', rolname from pg_roles where rolname ~ 'changeover' and rolname <> 'changeover_shop_fenced'
union all select 'publication', pubname from pg_publication union all select 'schema', nspname from pg_namespace where nspname ~ 'changeover'
union all select 'origin', roname from pg_replication_origin
union all select 'setting', name from pg_settings where sourcefile like '%auto.conf' and name = 'autovacuum'
union all select 'identity', relname from pg_class where relreplident = 'f'`,
    side === "new" ? "postgres" : "shop",
  );

/** Nothing is left of the copy on either side, and old restarts as it was. */
async function expectNothing(): Promise<void> {
  for (const side of ["old", "new"] as const) expect(await remains(side), side).toBe("");
  expect(await shop.script("new", "ls -d /var/lib/changeover/shop/database-follow 2>/dev/null || true")).toBe(
    "",
  );
  expect(await shop.script("new", "ls /var/lib/postgresql | grep changeover || true")).toBe("");
  expect(await query("old", "show wal_level")).toBe("replica");
}

describe("a copy that is cut off half-way", () => {
  beforeEach(async () => {
    await startWriter();
    await must("do", "allow", "publish");
  });

  it("by the death of its unit goes on: no complete table comes again, and no row is lost or doubled", async () => {
    expect(await strike(killUnit)).toContain(kept);
    const { complete, incomplete } = await copied();
    expect(complete.join()).toMatch(/child|parent|no_key/);
    expect(incomplete.join()).toMatch(/child|parent|no_key/);
    // Slow enough for a line of progress, which comes every 3 seconds.
    await limitLine("change", "40mbit");
    await must("do", "follow");
    await limitLine("change", "100mbit");
    expect(await progress()).toMatch(/going on with the copy, of which \d+ of \d+ tables are complete/);
    expect(await progress()).toMatch(/^copy: \d+ of \d+ tables, .* of about .*\/s, about \d+ s left$/m);
    expect(await filesNow(complete)).toEqual(complete);
    for (const line of await filesNow(incomplete)) expect(incomplete).not.toContain(line);
    await stopWriter();
    await expectEqual();
    expect(await query("new", "select to_regclass('changeover_shop.copied') is null")).toBe("t");
    expect(await query("old", "select pubname from pg_publication")).toBe("changeover_shop");

    await startWriter();
    await must("do", "switchOver");
    await stopWriter();
    await expectEqual();
    const keys = `select conname, convalidated from pg_constraint where connamespace = 'public'::regnamespace and contype in ('f', 'p', 'u') order by 1;
      select pg_get_indexdef(indexrelid) from pg_index i join pg_class c on c.oid = indrelid where relnamespace = 'public'::regnamespace order by 1;
      select tgrelid::regclass, tgname from pg_trigger where not tgisinternal order by 1, 2;`;
    expect(await query("new", keys)).toBe(await query("old", keys));
    const others = `select (select count(*) from unlogged), (select convert_from(lo_get(oid), 'UTF8') from pg_largeobject_metadata),
      (select sum(count) from totals) = (select count(*) from child)`;
    expect(await query("new", others)).toBe("10|kept|t");
    await must("undo", "switchOver", "follow", "publish", "allow");
    await expectNothing();
  });

  it("by a crash of new's PostgreSQL, and again while PostgreSQL brings the rest, goes on from there", async () => {
    // The copy's commits do not wait for the disk; one that does takes them along.
    const crash = `runuser -u postgres -- psql -XAtqc "select pg_logical_emit_message(true, 'test', 'on disk')" shop >/dev/null
kill -9 "$(head -n 1 "$(runuser -u postgres -- psql -XAtqc 'show data_directory')/postmaster.pid")"
end=$((SECONDS + 60)); sleep 0.1
until runuser -u postgres -- psql -XAtqc 'select 1' >/dev/null 2>&1; do ((SECONDS < end)) || exit 1; systemctl restart 'postgresql@*' postgresql || true; sleep 0.5; done`;
    expect(await strike(crash)).toContain(kept);
    const { complete } = await copied();
    expect(complete.join()).toMatch(/child|parent|no_key/);
    expect(await strike(killUnit, brings)).toContain(kept);
    await must("do", "follow");
    expect(await filesNow(complete)).toEqual(complete);
    await stopWriter();
    await expectEqual();
    await must("undo", "follow", "publish", "allow");
    await expectNothing();
  });

  it("leaves nothing when the phase is lowered", async () => {
    // A step that failed is not in the state: only the undos of the others run.
    await strike(killUnit);
    await must("undo", "publish", "allow");
    await expectNothing();
    await must("do", "allow", "publish");
    await strike(killUnit);
    await strike(killUnit, brings);
    await must("undo", "publish", "allow");
    await expectNothing();
    await stopWriter();
  });
});

describe("a copy that cannot go on", () => {
  it("begins anew when old's tables were changed meanwhile, its slot is gone, or no table had come completely", async () => {
    await must("do", "allow", "publish");
    await strike(killUnit);
    await query("old", "alter table parent add column late text");
    expect(await strike(killUnit)).toContain(kept);
    expect(await progress()).toContain(
      "the copy begins anew: the tables of shop on old were changed meanwhile",
    );
    await query("old", "select pg_drop_replication_slot('changeover_shop_to_new') \\g /dev/null");
    const begun = "select not bool_or(done) from changeover_shop.copied";
    expect(await strike(killUnit, begun)).not.toContain(kept);
    expect(await query("new", "select count(*) from pg_database where datname = 'shop'", "postgres")).toBe(
      "0",
    );
    await must("do", "follow");
    await expectEqual();
  });
});

/** How nice the processes are that a query of a side finds, and where Linux has them their sessions: each number once. */
const niceness = (side: "old" | "new", pids: string) =>
  shop.script(
    side,
    `cd /; for pid in $(runuser -u postgres -- psql -XAtqc "${pids}"); do
  ps -o ni= -p "$pid"; [ ! -e "/proc/$pid/autogroup" ] || sed 's/.* nice //' "/proc/$pid/autogroup"
done | tr -d ' ' | sort -u | paste -sd ' '`,
  );
const reads =
  "select pid from pg_stat_activity where usename = 'changeover_shop' and query ~ '^copy .* to stdout'";
const writesDown = "select pid from pg_stat_activity where query ~ '^copy .* from program'";
const sends = "select pid from pg_stat_replication where application_name = 'changeover_shop_to_new'";
const applies =
  "select pid from pg_stat_subscription where subname = 'changeover_shop_to_new' and pid is not null";

describe("a copy that is held to a rate", () => {
  beforeAll(() => must("undo", "follow", "publish", "allow"));

  it("gives way to users in all it does; what follows it does not", async () => {
    await must("do", "allow", "publish");
    const gently = followDatabase({
      ...settings,
      database: { ...settings.database, copyRate: 20_000_000 },
    });
    const copy = send(gently, "do");
    const both = async (old: string, new_: string) => [
      await niceness("old", old),
      await niceness("new", new_),
    ];
    const wait = { timeout: 60_000, interval: 200 };
    await expect.poll(() => both(reads, writesDown), wait).toEqual(["19", "19"]);
    expect(
      await shop.script("new", "ps -o ni= -p $(systemctl show -P MainPID changeover-shop-database-follow)"),
    ).toMatch(/19/);
    // More than the line carries in a moment is left for the catching up.
    await query(
      "old",
      "insert into no_key select i, 'late', repeat(md5(i::text), 30) from generate_series(1, 40000) i",
    );
    await expect.poll(() => both(sends, applies), wait).toEqual(["19", "19"]);
    const { exitCode, all } = await copy;
    expect(exitCode, all).toBe(0);
    expect(await progress()).toContain("catching up");
    await expect.poll(() => both(sends, applies), wait).toEqual(["0", "0"]);
    await expectEqual();
    await must("undo", "follow", "publish", "allow");
    await expectNothing();
  });
});
