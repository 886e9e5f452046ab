/** Guards of replication on real servers: each fires for what is really so there, and is silent once its remedy is done. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../../components/guards/guards.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";

type Side = "old" | "new";
type Settings = Record<string, unknown>;

/** One thing that is wrong on a server, or in the settings. */
interface Case {
  what: string;
  /** Commands that make it so. */
  break?: Partial<Record<Side, string>>;
  place: string;
  says: RegExp;
  warning?: boolean;
  /** What of the remedy is done: what this finds in it. */
  remedy: RegExp;
  /** How that is done: commands on a server, or changed settings. */
  mend: (remedy: string) => Partial<Record<Side, string>> | Settings;
}

/** Cases that are looked at together. */
interface Group {
  title: string;
  settings?: Settings;
  cases: Case[];
  /** Commands that take back what is left. */
  back: Partial<Record<Side, string>>;
}

const checkout = join(import.meta.dirname, "../..");
const sql = (text: string, database = "shop") =>
  `cd / && runuser -u postgres -- psql -Xqd ${database} -v ON_ERROR_STOP=1 <<'SQL'\n${text}\nSQL\n`;
const restart =
  "systemctl restart 'postgresql@*'; timeout 30 sh -c 'until runuser -u postgres -- pg_isready -q; do sleep 0.1; done'\n";
/** A client of old that stays connected after its statements; told when the server has seen the last of them. */
const client = (unit: string, connection: string, statements: string, seen: string) => `
systemd-run --quiet --collect --unit=${unit} --setenv=PGPASSWORD=writer bash -c ${JSON.stringify(`(echo "${statements}"; sleep 1000) | psql -Xq "${connection}"`)}
cd / && timeout 20 sh -c ${JSON.stringify(`until runuser -u postgres -- psql -XAtc "${seen}" shop | grep -q .; do sleep 0.1; done`)}
`;
const asShop = "host=127.0.0.1 dbname=shop user=shop";
/** Does the statement as it stands in the remedy. */
const doOnOld = (statement: string) => ({ old: sql(statement) });
const configure = (remedy: string, value?: string): Settings => {
  const [, path = "", given = ""] = /'changeover:database\.(\S+)' (\S+)/.exec(remedy) ?? [];
  const [first = "", second] = path.split(".");
  return {
    [first]: second === undefined ? given : { [second]: value === undefined ? given : Number(value) },
  };
};

const inTheDatabase: Group = {
  title: "what is in the database",
  settings: { roles: ["shop", "guard_md5"] },
  cases: [
    {
      what: "a big table without a key",
      break: {
        old: sql(
          "create table guard_keyless as select i as id, md5(i::text) as v from generate_series(1, 200000) i; analyze guard_keyless;",
        ),
      },
      place: "old, database shop",
      says: /guard_keyless.*slow.*public\.guard_keyless \(\d+ MB\)/,
      warning: true,
      remedy: /ALTER TABLE public\.guard_keyless ADD PRIMARY KEY/,
      mend: (remedy) => doOnOld(`${remedy} (id);`),
    },
    {
      what: "replica identity NOTHING",
      break: {
        old: sql(
          "create table guard_nothing (id int primary key); alter table guard_nothing replica identity nothing;",
        ),
      },
      place: "old, table public.guard_nothing",
      says: /NOTHING/,
      remedy: /ALTER TABLE .*;/,
      mend: doOnOld,
    },
    {
      what: "an index as identity that is gone",
      break: {
        old: sql(`create table guard_index (id int not null constraint guard_unique unique);
          alter table guard_index replica identity using index guard_unique; alter table guard_index drop constraint guard_unique;`),
      },
      place: "old, table public.guard_index",
      says: /gone or not valid/,
      remedy: /ALTER TABLE .*;/,
      mend: doOnOld,
    },
    {
      what: "an unlogged table",
      break: { old: sql("create unlogged table guard_unlogged as select 1 as id;") },
      place: "old, database shop",
      says: /unlogged table public\.guard_unlogged/,
      warning: true,
      remedy: /ALTER TABLE public\.guard_unlogged SET LOGGED;/,
      mend: doOnOld,
    },
    {
      what: "a trigger that always fires",
      break: {
        old: sql(`create table guard_always (id int primary key); create function guard_row() returns trigger language plpgsql as 'begin return new; end';
          create trigger guard_trigger before insert on guard_always for each row execute function guard_row();
          alter table guard_always enable always trigger guard_trigger;`),
      },
      place: "old, table guard_always",
      says: /guard_trigger fires always/,
      remedy: /ALTER TABLE .*;/,
      mend: doOnOld,
    },
    {
      what: "a trigger for replicated rows",
      break: {
        old: sql(`create table guard_replica (id int primary key);
          create trigger guard_trigger before insert on guard_replica for each row execute function guard_row();
          alter table guard_replica enable replica trigger guard_trigger;`),
      },
      place: "old, table guard_replica",
      says: /guard_trigger fires for them alone/,
      remedy: /ALTER TABLE .*;/,
      mend: doOnOld,
    },
    {
      what: "an event trigger",
      break: {
        old: sql(`create function guard_ddl() returns event_trigger language plpgsql as 'begin end';
          create event trigger guard_event on ddl_command_end execute function guard_ddl(); alter event trigger guard_event enable always;`),
      },
      place: "old, database shop",
      says: /these do: guard_event/,
      warning: true,
      remedy: /ALTER EVENT TRIGGER \.\.\. ENABLE/,
      mend: (remedy) => doOnOld(remedy.replace("...", "guard_event")),
    },
    {
      what: "an extension with rows",
      break: {
        old: `for folder in /usr/share/postgresql/*/extension; do
            printf "default_version = '1'\\n" >"$folder/guard_ext.control"
            printf 'create table guard_ext_rows as select 1 as id;\\n' >"$folder/guard_ext--1.sql"
          done
          ${sql("create extension guard_ext;")}`,
      },
      place: "old, extension guard_ext",
      says: /rows in guard_ext_rows/,
      warning: true,
      remedy: /DROP EXTENSION guard_ext;/,
      mend: doOnOld,
    },
    {
      what: "an invalid index",
      break: {
        old: `${sql("create table guard_twice (id int); insert into guard_twice values (-1), (-1);")}
          ${sql("create unique index concurrently guard_broken on guard_twice (id);").replace("ON_ERROR_STOP=1", "ON_ERROR_STOP=0")} true`,
      },
      place: "old, database shop",
      says: /guard_broken is not/,
      warning: true,
      remedy: /DROP INDEX guard_broken;/,
      mend: doOnOld,
    },
    {
      what: "a constraint that is not validated",
      break: {
        old: sql(
          "create table guard_late (id int primary key); alter table guard_late add constraint guard_check check (id > 0) not valid;",
        ),
      },
      place: "old, table guard_late",
      says: /guard_check is not/,
      warning: true,
      remedy: /ALTER TABLE .*;/,
      mend: doOnOld,
    },
    {
      what: "a slot that nobody reads",
      break: { old: sql("select pg_create_physical_replication_slot('guard_slot', true) \\g /dev/null") },
      place: "old, replication slot guard_slot",
      says: /nobody does, and it keeps \d+ MB/,
      warning: true,
      remedy: /select .*;/,
      mend: doOnOld,
    },
    {
      what: "a subscription",
      break: {
        old: sql(
          "create subscription guard_feed connection 'host=127.0.0.1 dbname=nowhere' publication p with (connect = false, slot_name = none);",
        ),
      },
      place: "old, database shop",
      says: /guard_feed brings rows from elsewhere/,
      remedy: /DROP SUBSCRIPTION .*;/,
      mend: doOnOld,
    },
    {
      what: "a log without a limit",
      place: "old, PostgreSQL",
      says: /it has no limit, and \d+ MB are free/,
      warning: true,
      remedy: /ALTER SYSTEM .*;/,
      mend: (remedy) => ({
        old: sql(
          remedy.replaceAll("; ", ";\n").replace("pg_reload_conf();", "pg_reload_conf() \\g /dev/null"),
        ),
      }),
    },
    {
      what: "a superuser at work",
      break: {
        old: `${sql("create role guard_super superuser login password 'writer';")}
          ${client("guard-super", "host=127.0.0.1 dbname=shop user=guard_super application_name=web", "select 1;", "select 1 from pg_stat_activity where usename = 'guard_super' and state = 'idle'")}`,
      },
      place: "old, database shop",
      says: /guard_super is connected from 127\.0\.0\.1 \(web\), process \d+/,
      remedy: /select pg_terminate_backend\(\d+\);/,
      mend: (remedy) => doOnOld(remedy.replace(";", " \\g /dev/null")),
    },
    {
      what: "a password kept as md5",
      break: { old: sql("set password_encryption = 'md5'; create role guard_md5 login password 'secret';") },
      place: "old, role guard_md5",
      says: /kept as md5/,
      remedy: /set password_encryption = 'scram-sha-256';/,
      mend: (remedy) => doOnOld(`${remedy} alter role guard_md5 password 'secret';`),
    },
    {
      what: "logins without a password",
      break: {
        new: `printf 'host all all 203.0.113.0/24 trust\\n' >>"$(runuser -u postgres -- psql -XAtc 'show hba_file')"`,
      },
      place: "new, pg_hba.conf, line ",
      says: /all may log in to all from 203\.0\.113\.0 without/,
      warning: true,
      remedy: /scram-sha-256 in the place of trust/,
      mend: () => ({
        new: `sed -i '$s/trust/scram-sha-256/' "$(runuser -u postgres -- psql -XAtc 'show hba_file')"`,
      }),
    },
    {
      what: "a line of pg_hba.conf that is none",
      break: {
        old: `printf 'hots all all 203.0.113.0/24 scram-sha-256\\n' >>"$(runuser -u postgres -- psql -XAtc 'show hba_file')"`,
      },
      place: "old, pg_hba.conf, line ",
      says: /invalid connection type "hots"/,
      remedy: /mend it on old/,
      mend: () => ({ old: `sed -i '$s/hots/host/' "$(runuser -u postgres -- psql -XAtc 'show hba_file')"` }),
    },
    {
      what: "a role of that name on new",
      break: { new: sql("create role shop login password 'other';", "postgres") },
      place: "new, role shop",
      says: /there is one already/,
      remedy: /DROP ROLE "shop"/,
      mend: (remedy) => ({ new: sql(`${remedy};`, "postgres") }),
    },
    {
      what: "an app that needs its session",
      break: {
        old: [
          ["listen", "listen guard;", "query = 'listen guard;'"],
          [
            "lock",
            "select pg_advisory_lock(1);",
            "pid in (select pid from pg_locks where locktype = 'advisory')",
          ],
          ["temp", "create temp table guard_temp (id int);", "query ~ '^create temp'"],
          ["set", "set search_path to audit;", "query ~ '^set search_path'"],
        ]
          .map(([name, statements, seen]) =>
            client(
              `guard-${name}`,
              asShop,
              statements!,
              `select 1 from pg_stat_activity where usename = 'shop' and state = 'idle' and ${seen}`,
            ),
          )
          .join(""),
      },
      place: "old, database shop",
      says: /: LISTEN, SET search_path, a session's advisory lock, a temporary table$/,
      warning: true,
      remedy: /pulumi config set .*/,
      mend: configure,
    },
    {
      what: "PgBouncer with databases of somebody else",
      break: {
        new: `sed -i '/^\\[databases\\]/a guard_other = host=127.0.0.1' /etc/pgbouncer/pgbouncer.ini`,
      },
      place: "new, /etc/pgbouncer/pgbouncer.ini",
      says: /leads to guard_other/,
      remedy: /take the lines out of \[databases\]/,
      mend: () => ({ new: "sed -i '/^guard_other/d' /etc/pgbouncer/pgbouncer.ini" }),
    },
  ],
  back: {
    old: `systemctl stop 'guard-*'
      ${sql(`drop table guard_keyless, guard_nothing, guard_index, guard_unlogged, guard_always, guard_replica, guard_twice, guard_late;
        drop function guard_row; drop event trigger guard_event; drop function guard_ddl; drop role guard_md5, guard_super;`)}
      ${sql("alter system reset max_slot_wal_keep_size;")}
      sed -i '$d' "$(runuser -u postgres -- psql -XAtc 'show hba_file')"
      ${sql("select pg_reload_conf() \\g /dev/null")}`,
    new: `sed -i '$d' "$(runuser -u postgres -- psql -XAtc 'show hba_file')"`,
  },
};

const onTheServers: Group = {
  title: "what is so on the servers",
  settings: { pooler: { port: 22 }, holdBudget: "1 second" },
  cases: [
    {
      what: "a restart of old that others feel, with what waits for it",
      break: {
        old: `${sql("create database elsewhere;", "postgres")}
          cp -r /usr/lib/locale/C.utf8 /usr/lib/locale/xx_XX.utf8
          ${sql("alter system set max_replication_slots = 1;")} ${sql("alter system set max_prepared_transactions = 5;")}
          ${restart} ${sql("alter system set max_connections = 150;")} ${sql("select pg_reload_conf() \\g /dev/null")}`,
      },
      place: "old, PostgreSQL",
      says: /in phase app, which ends the sessions of these databases too: elsewhere \(0 sessions\), and brings into force what waits for a restart: max_connections/,
      warning: true,
      remedy: /ALTER SYSTEM SET wal_level = 'logical';/,
      mend: (remedy) => ({ old: `${sql(remedy)} ${restart}` }),
    },
    {
      what: "no slot that is free",
      break: { old: sql("select pg_create_physical_replication_slot('guard_slot') \\g /dev/null") },
      place: "old, PostgreSQL",
      says: /^1 of 1 are used$/,
      remedy: /ALTER SYSTEM SET max_replication_slots = 2;/,
      mend: (remedy) => ({ old: `${sql(remedy)} ${restart}` }),
    },
    {
      what: "no worker on new",
      break: {
        new: `${sql("alter system set max_logical_replication_workers = 0;", "postgres")} ${restart}`,
      },
      place: "new, PostgreSQL",
      says: /^0 of 0 are used$/,
      remedy: /ALTER SYSTEM SET max_logical_replication_workers = 1;/,
      mend: (remedy) => ({ new: `${sql(remedy, "postgres")} ${restart}` }),
    },
    {
      what: "a log with less room than it may take",
      break: {
        old: `${sql("alter system set max_wal_size = '100TB';")} ${sql("select pg_reload_conf() \\g /dev/null")}`,
      },
      place: "old, PostgreSQL's log (pg_wal)",
      says: /^\d+ MB are$/,
      remedy: /make room on old/,
      mend: () => ({
        old: `${sql("alter system reset max_wal_size;")} ${sql("select pg_reload_conf() \\g /dev/null")}`,
      }),
    },
    {
      what: "more large objects than the hold has time for",
      break: {
        old: sql(
          "select count(lo_from_bytea(0, decode(repeat(md5(i::text), 1000), 'hex'))) from generate_series(1, 3000) i \\g /dev/null",
        ),
      },
      place: "old, database shop",
      says: /3000 large objects \(\d+ MB\): copied while statements wait, in about [1-9]/,
      remedy: /remove large objects/,
      mend: () => doOnOld("select lo_unlink(oid) from pg_largeobject_metadata \\g /dev/null"),
    },
    {
      what: "a prepared transaction elsewhere",
      break: { old: sql("begin; create table guard (id int); prepare transaction 'guard';", "elsewhere") },
      place: "old, database elsewhere",
      says: /prepared transaction 'guard'/,
      warning: true,
      remedy: /ROLLBACK PREPARED .*;/,
      mend: (remedy) => ({ old: sql(remedy, "elsewhere") }),
    },
    {
      what: "a collation that has changed",
      break: {
        old: sql(
          "create collation guard_sorting (locale = 'xx_XX.utf8'); update pg_collation set collversion = '1' where collname = 'guard_sorting';",
        ),
      },
      place: "old, collation public.guard_sorting",
      says: /version 1, and the system has 2/,
      warning: true,
      remedy: /ALTER COLLATION .*;/,
      mend: doOnOld,
    },
    {
      what: "somebody else at PgBouncer's port",
      place: "new, port 22",
      says: /ssh\.service listens there/,
      remedy: /pulumi config set .*/,
      mend: (remedy) => configure(remedy, "6433"),
    },
    {
      what: "no PgBouncer",
      break: { new: "mv /usr/sbin/pgbouncer /root/" },
      place: "new, PgBouncer",
      says: /not there/,
      remedy: /apt-get install pgbouncer/,
      mend: () => ({ new: "mv /root/pgbouncer /usr/sbin/" }),
    },
  ],
  back: {
    old: `${sql("select pg_drop_replication_slot('guard_slot') \\g /dev/null")} ${sql("drop collation guard_sorting;")}
      ${sql("drop database elsewhere;", "postgres")} rm -r /usr/lib/locale/xx_XX.utf8
      ${["wal_level", "max_replication_slots", "max_prepared_transactions", "max_connections"].map((name) => sql(`alter system reset ${name};`)).join("")}
      ${restart}`,
    new: `${sql("alter system reset max_logical_replication_workers;", "postgres")} ${restart}`,
  },
};

const behindALock: Group = {
  title: "what cannot be seen",
  cases: [
    {
      what: "a table that somebody has locked",
      break: {
        old: client(
          "guard-lock",
          asShop,
          "begin; lock table job_runs;",
          "select 1 from pg_locks where mode = 'AccessExclusiveLock' and relation = 'job_runs'::regclass and granted",
        ),
      },
      place: "old, PostgreSQL",
      says: /ERROR: {2}canceling statement due to lock timeout/,
      remedy: /a lock may have been in the way/,
      mend: () => ({ old: "systemctl stop guard-lock" }),
    },
  ],
  back: {},
};

let shop: Shop;
let atFirst: Finding[];
beforeAll(async () => {
  shop = await openShop({ name: "test-guards", env: { DEMO_DB_PASSWORD: "writer" } });
  // Somebody else looks, too.
  for (const side of ["old", "new"] as const)
    await shop.script(
      side,
      `systemd-run --quiet --collect --unit=other-look --uid=postgres --setenv=PGAPPNAME='changeover look' bash -c '(echo "select 1;"; sleep 1000) | psql -Xq postgres'
timeout 20 sh -c ${JSON.stringify(`until runuser -u postgres -- psql -XAtc "select 1 from pg_stat_activity where application_name = 'changeover look' and state = 'idle'" postgres | grep -q .; do sleep 0.1; done`)}`,
    );
  atFirst = await look({});
});
afterAll(() => shop.close());

/** What the guards find, with some settings of the database (and the hold's budget) changed. */
async function look({ holdBudget = "5 seconds", ...database }: Settings): Promise<Finding[]> {
  const base = demoSettings(shop.lab);
  const settings = {
    ...base,
    "changeover:holdBudget": holdBudget,
    "changeover:database": {
      ...(base["changeover:database"] as Settings),
      strategy: "replicate",
      ...database,
    },
  };
  const found = await shop.network("node", join(checkout, "test/soak/look.ts"), JSON.stringify(settings));
  return JSON.parse(found) as Finding[];
}

/** Runs commands on both servers. */
async function run(commands: Partial<Record<Side, string>>): Promise<void> {
  for (const side of ["old", "new"] as const)
    if (commands[side] !== undefined) await shop.script(side, `set -e\n${commands[side]}`);
}

/** The findings of a case: those at its place (or one that begins like it) that say so. */
const of = (found: Finding[], { place, says }: Case) =>
  found.filter((finding) => finding.place.startsWith(place) && says.test(finding.value));

it("a look's own sessions, and those of another one, are nobody whom a restart would touch", () => {
  expect(atFirst.filter(({ place }) => place === "new, PostgreSQL")).toEqual([]);
});

describe.each([inTheDatabase, onTheServers, behindALock])("$title", (group) => {
  let found: Finding[];
  let mended: Finding[];
  beforeAll(async () => {
    let settings = group.settings ?? {};
    for (const one of group.cases) await run(one.break ?? {});
    found = await look(settings);
    for (const one of group.cases) {
      const [named] = one.remedy.exec(of(found, one)[0]?.remedy ?? "") ?? [];
      if (named === undefined) continue;
      const mend = one.mend(named);
      if ("old" in mend || "new" in mend) await run(mend);
      else settings = { ...settings, ...mend };
    }
    mended = await look(settings);
  });

  it.each(group.cases)("$what: is found, with its remedy, and is gone when that is done", (one) => {
    const [finding, ...more] = of(found, one);
    expect(finding, JSON.stringify(found, null, 2)).toBeDefined();
    expect(more).toEqual([]);
    expect(finding!.remedy).toMatch(one.remedy);
    expect(finding!.warning ?? false).toBe(one.warning ?? false);
    expect(of(mended, one)).toEqual([]);
  });

  it("leaves nothing behind that a guard finds", async () => {
    const told = (all: Finding[]) => all.map(({ place, rule }) => `${place}: ${rule}`);
    await run(group.back);
    expect(told(await look({}))).toEqual(told(atFirst));
  });
});
