/** Guards: what logical replication needs, and what it does not carry. */
import { describe, expect, it } from "vitest";
import { findings, type GuardSettings } from "../../../components/guards/guards.ts";
import { some } from "../../../components/guards/replication.ts";
import {
  cannotTell,
  byConfigFile,
  type Changes,
  found,
  look,
  passes,
  replicating,
  settings,
  stops,
  warns,
} from "./look.ts";

const fact = (name: string, value: unknown): Changes => ({ [`replication.${name}`]: JSON.stringify(value) });
const settingsWith = (changes: Record<string, string | undefined>) =>
  fact("settings", {
    wal_level: "logical",
    max_replication_slots: "10",
    max_wal_senders: "10",
    max_logical_replication_workers: "4",
    max_worker_processes: "8",
    max_wal_size: "1024",
    max_slot_wal_keep_size: "2000",
    ...changes,
  });
const usedWith = (changes: Record<string, number>) =>
  fact("used", { slots: 0, senders: 0, appliers: 0, origins: 0, workers: 1, ...changes });
const megabyte = 1_000_000;

describe("replication", () => {
  it("lets servers pass that are ready", () => {
    expect(found({}, {}, replicating)).toEqual([]);
  });

  cannotTell(
    [
      [
        "facts that could not be had",
        { "replication.error": "ERROR: canceling statement due to lock timeout\nmore" },
        {},
        ["old, PostgreSQL", "psql says: ERROR: canceling statement due to lock timeout", "preview again"],
      ],
      [
        "facts that are not there",
        {},
        { "replication.error": undefined },
        ["new, PostgreSQL", "psql says: nothing", "PostgreSQL's log there"],
      ],
      [
        "any of them",
        {},
        {
          "replication.error": "psql ended with 2: connection to server failed: timeout expired",
          "replication.settings": undefined,
          "replication.used": undefined,
        },
        ["new, PostgreSQL", "psql says: psql ended with 2", "preview again"],
      ],
    ],
    replicating,
  );

  stops(
    [
      [
        "a version that cannot publish",
        { "database.version": "90624" },
        {},
        ["old, PostgreSQL", "it is 9", "'changeover:database.strategy' dump"],
      ],
      [
        "replica identity NOTHING beside a key",
        fact("identities", [{ table: "public.orders", identity: "n", key: true }]),
        {},
        ["old, table public.orders", "is NOTHING", "ALTER TABLE public.orders REPLICA IDENTITY DEFAULT;"],
      ],
      [
        "an index as identity that is broken, without a key",
        fact("identities", [{ table: 'public."a b"', identity: "i", key: false }]),
        {},
        ['old, table public."a b"', "gone or not valid", 'ALTER TABLE public."a b" REPLICA IDENTITY FULL;'],
      ],
      [
        "more large objects than the hold has time for",
        fact("largeObjects", { count: 10, bytes: 51 * megabyte }),
        {},
        [
          "old, database shop",
          "10 large objects (51 MB): copied while statements wait, in about 2.6 s",
          "vacuumlo",
        ],
      ],
      [
        "an unlogged table that is too big",
        fact("unlogged", [{ table: "cache", bytes: 60 * megabyte }]),
        {},
        ["old, database shop", "unlogged table cache (60 MB)", "ALTER TABLE cache SET LOGGED"],
      ],
      [
        "no free slot on old",
        usedWith({ slots: 10 }),
        {},
        ["old, PostgreSQL", "10 of 10 are used", "ALTER SYSTEM SET max_replication_slots = 11"],
      ],
      [
        "one free sender where two are needed",
        usedWith({ senders: 9 }),
        {},
        ["old, PostgreSQL", "9 of 10 are used", "ALTER SYSTEM SET max_wal_senders = 11"],
      ],
      [
        "no worker for applying on new",
        {},
        usedWith({ appliers: 4 }),
        [
          "new, PostgreSQL",
          "4 of 4 are used",
          "max_logical_replication_workers = 5; and restart PostgreSQL on new",
        ],
      ],
      [
        "no worker at all on new",
        {},
        usedWith({ workers: 8 }),
        ["new, PostgreSQL", "8 of 8 are used", "max_worker_processes = 9"],
      ],
      [
        "no origin on a new one of version 18",
        {},
        { ...settingsWith({ max_active_replication_origins: "2" }), ...usedWith({ origins: 2 }) },
        ["new, PostgreSQL", "2 of 2 are used", "max_active_replication_origins = 3"],
      ],
      [
        "no room for the log on old",
        { "replication.walFree": "1000" },
        {},
        ["old, PostgreSQL's log (pg_wal)", "1 MB are", "make room on old"],
      ],
      [
        "a trigger that always fires",
        fact("triggers", [{ table: "orders", trigger: "audit", fires: "A" }]),
        {},
        ["old, table orders", "trigger audit fires always", "ALTER TABLE orders ENABLE TRIGGER audit;"],
      ],
      [
        "a trigger that fires for replicated rows alone",
        fact("triggers", [{ table: "orders", trigger: '"a b"', fires: "R" }]),
        {},
        ["old, table orders", 'trigger "a b" fires for them alone', 'DISABLE TRIGGER "a b";'],
      ],
      [
        "a subscription into the database",
        { "database.subscriptions": "feed\nchangeover_shop_to_old" },
        {},
        ["old, database shop", "feed brings rows from elsewhere", "DROP SUBSCRIPTION feed;"],
      ],
    ],
    replicating,
  );

  warns(
    [
      [
        "a publisher with limits",
        { "database.version": "120005" },
        {},
        ["old, PostgreSQL", "it is 12: max_slot_wal_keep_size is unknown", "while the move lasts"],
      ],
      [
        "tables without a key",
        fact("keyless", [
          { table: "public.big", rows: 10, bytes: 10 * megabyte },
          { table: "public.small", rows: 99_999, bytes: 10 },
        ]),
        {},
        [
          "old, database shop",
          "public.big, public.small; slow, as each UPDATE or DELETE reads the whole table on the other side: public.big (10 MB)",
          "ALTER TABLE public.big ADD PRIMARY KEY",
        ],
      ],
      [
        "large objects that fit",
        fact("largeObjects", { count: 10, bytes: 49 * megabyte }),
        {},
        ["old, database shop", "10 large objects (49 MB)", "or raise changeover:holdBudget"],
      ],
      [
        "a restart of old, whom it touches, and what comes with it",
        {
          ...settingsWith({ wal_level: "replica" }),
          ...fact("others", [{ database: "blog", sessions: 3 }]),
          ...fact("pending", ["max_connections"]),
        },
        {},
        [
          "old, PostgreSQL",
          "restarted in phase app, which ends the sessions of these databases too: blog (3 sessions), and brings into force what waits for a restart: max_connections",
          "ALTER SYSTEM SET wal_level = 'logical'",
        ],
      ],
      [
        "a restart of new, where somebody else is",
        {},
        { ...settingsWith({ wal_level: "replica" }), ...fact("others", [{ database: "blog", sessions: 0 }]) },
        [
          "new, PostgreSQL",
          "restarted in phase prepared, which ends the sessions",
          "choose the minute yourself",
        ],
      ],
      [
        "a log without a limit",
        settingsWith({ max_slot_wal_keep_size: "-1" }),
        {},
        ["old, PostgreSQL", "it has no limit, and 3000 MB are free", "max_slot_wal_keep_size = '2288MB'"],
      ],
      [
        "a limit beyond the disk",
        settingsWith({ max_slot_wal_keep_size: "9000" }),
        {},
        ["old, PostgreSQL", "its limit is 9438 MB, and 3000 MB are free", "'2288MB'"],
      ],
      [
        "a limit below the database's size",
        { ...settingsWith({ max_slot_wal_keep_size: "100" }), "database.size": "1000000000\tUTF8\tC\tC" },
        { "database.free": "9000000000" },
        ["old, PostgreSQL", "its limit is 105 MB, and database shop has 1000 MB", "'2288MB'"],
      ],
      [
        "an event trigger",
        fact("eventTriggers", ["log_ddl"]),
        {},
        ["old, database shop", "these do: log_ddl", "ALTER EVENT TRIGGER"],
      ],
      [
        "rows in an extension's tables",
        fact("extensionTables", [
          { extension: "pg_cron", table: "cron.job" },
          { extension: "pg_cron", table: "cron.job_run_details" },
        ]),
        {},
        ["old, extension pg_cron", "rows in cron.job, cron.job_run_details", "DROP EXTENSION pg_cron"],
      ],
      [
        "an invalid index",
        fact("invalidIndexes", ["orders_ref"]),
        {},
        ["old, database shop", "orders_ref is not", "REINDEX INDEX CONCURRENTLY orders_ref"],
      ],
      [
        "a constraint that is not validated",
        fact("notValidated", [{ table: "orders", constraint: "positive" }]),
        {},
        ["old, table orders", "positive is not", "VALIDATE CONSTRAINT positive"],
      ],
      [
        "a slot that nobody reads",
        fact("idleSlots", [{ slot: "standby", bytes: 5 * megabyte }]),
        {},
        ["old, replication slot standby", "keeps 5 MB of the log", "pg_drop_replication_slot('standby')"],
      ],
      [
        "a transaction elsewhere on the server",
        fact("waitedFor", [{ database: "blog", transaction: "process 7 of blog", remedy: "kill it" }]),
        {},
        ["old, database blog", "process 7 of blog", "end it before the copy: kill it"],
      ],
      [
        "a database's collation that has changed",
        {},
        fact("collations", [{ of: "database", name: "blog", recorded: "2.31", actual: "2.36" }]),
        [
          "new, database blog",
          "version 2.31, and the system has 2.36",
          'ALTER DATABASE "blog" REFRESH COLLATION VERSION',
        ],
      ],
      [
        "a collation that has changed",
        fact("collations", [{ of: "collation", name: "public.german", recorded: "1", actual: "2" }]),
        {},
        ["old, collation public.german", "version 1", "ALTER COLLATION public.german REFRESH VERSION"],
      ],
    ],
    replicating,
  );

  passes(
    [
      ["a new one that nobody uses, with another log", {}, settingsWith({ wal_level: "replica" })],
      ["old versions from 14 on", { "database.version": "140005" }, {}],
      ["old before 13, which knows no limit", settingsWith({ max_slot_wal_keep_size: undefined }), {}],
      [
        "a log that is at work already",
        {
          ...settingsWith({ max_slot_wal_keep_size: "-1" }),
          ...fact("feeds", [{ slot: "changeover_shop_to_new", active: true }]),
          begun: "shop/database-follow",
        },
        {
          ...fact("links", [{ link: "changeover_shop_to_new", enabled: true, working: true }]),
          done: "shop/database-follow",
        },
      ],
      [
        "the slot of a copy that was interrupted",
        {
          ...fact("feeds", [{ slot: "changeover_shop_to_new", active: false }]),
          "replication.walFree": "1000",
        },
        { begun: "shop/database-follow" },
      ],
      [
        "a long transaction once new follows",
        fact("waitedFor", [{ database: "blog", transaction: "x", remedy: "y" }]),
        { begun: "shop/database-follow" },
      ],
      ["the move's own subscription", { "database.subscriptions": "changeover_shop_to_old" }, {}],
      [
        "anything once new leads",
        {
          ...fact("triggers", [{ table: "orders", trigger: "audit", fires: "A" }]),
          "replication.error": "x",
        },
        { done: "shop/database-switchover" },
      ],
    ],
    replicating,
  );

  it("says in which phase old is restarted", () => {
    const prepared = { ...replicating, database: { ...replicating.database, restart: "prepared" as const } };
    expect(found(settingsWith({ wal_level: "replica" }), {}, prepared)[0]?.value).toContain(
      "in phase prepared",
    );
  });

  it("says what users notice of it", () => {
    const remedy = (settings: GuardSettings) =>
      found(settingsWith({ wal_level: "replica" }), {}, settings)[0]?.remedy;
    expect(remedy(replicating)).toContain("app (statements wait) or prepared");
    expect(remedy(byConfigFile)).toContain("app (users see the maintenance page) or prepared");
  });

  it("does not concern a dump, nor a database that is not there", () => {
    const broken = look(fact("triggers", [{ table: "orders", trigger: "audit", fires: "A" }]));
    expect(findings(settings, broken)).toEqual([]);
    expect(
      found({ "database.names": "postgres", "replication.error": "FATAL: no database" }, {}, replicating),
    ).toHaveLength(1);
  });

  it("names the first of many", () => {
    expect(some(["a", "b", "c"], 3)).toBe("a, b, c");
    expect(some(["a", "b", "c"], 2)).toBe("a, b and 1 more");
  });
});
