/** Guards of strategy replicate: what logical replication needs of both servers, and what it does not carry. */
import { type Facts, json, lines } from "../facts/inspect.ts";
import { quote } from "../script.ts";
import { type Side, sides } from "../server.ts";
import { usesPooler } from "../site.ts";
import { megabytes } from "../size.ts";
import { majorVersion } from "./database.ts";
import type { Finding, Guard, Look } from "./guards.ts";

/** A guard that holds as long as old's database leads, with strategy replicate. */
export function whileOldLeads(guard: Guard): Guard {
  return (look) => {
    const { settings, old, new: fresh, done } = look;
    const there = lines(old, "database.names").includes(settings.database.name);
    const answered = !old.get("database.error") && !fresh.get("database.error");
    return settings.database.strategy === "replicate" && answered && there && !done("database-switchover")
      ? guard(look)
      : [];
  };
}

/** Names for people: the first of many. */
export function some(names: readonly string[], most = 8): string {
  const more = names.length - most;
  return more <= 0 ? names.join(", ") : `${names.slice(0, most).join(", ")} and ${more} more`;
}

/** A setting of PostgreSQL as a number. */
function numberOf(facts: Facts, name: string): number {
  return Number(json<Record<string, string>>(facts, "replication.settings", {})[name]);
}

/** What could not be asked is not known: the move does not begin on a guess. */
function everythingWasTold(look: Look): Finding[] {
  return sides
    .filter((side) => look[side].get("replication.error") !== "" && !look[side].get("database.error"))
    .map((side) => ({
      place: `${side}, PostgreSQL`,
      rule: "tells all that replication has to know of it",
      value: `not all could be found out; psql says: ${look[side].get("replication.error")?.split("\n")[0] ?? "nothing"}`,
      remedy:
        "pulumi preview again (a lock may have been in the way); if it stays so, see PostgreSQL's log there",
      unknown: true,
    }));
}

/** What publishers before 15 cannot do. */
function publisherVersion({ old }: Look): Finding[] {
  const version = majorVersion(old);
  if (version < 10)
    return [
      {
        place: "old, PostgreSQL",
        rule: "can publish its changes, as it can from version 10 on",
        value: `it is ${version}`,
        remedy: "pulumi config set --path 'changeover:database.strategy' dump",
      },
    ];
  const lacks = [
    ...(version < 11 ? ["TRUNCATE is not replicated: nothing may truncate a table during the move"] : []),
    ...(version < 13 ? ["max_slot_wal_keep_size is unknown: watch old's disk"] : []),
    ...(version < 14
      ? ["a big transaction is sent only when it ends, so the switch may have to wait for it"]
      : []),
  ];
  return lacks.length === 0
    ? []
    : [
        {
          place: "old, PostgreSQL",
          rule: "publishes without limits, as it does from version 14 on",
          value: `it is ${version}: ${lacks.join("; ")}`,
          remedy: "keep to that while the move lasts, or upgrade old first",
          warning: true,
        },
      ];
}

/** A table whose rows cannot be told apart on the other side. */
interface Keyless {
  table: string;
  rows: number;
  bytes: number;
}

/** From here on, finding a row of a table without a key by reading all of it is felt. */
const bigKeyless = { rows: 100_000, bytes: 10_000_000 };

/** Tables without a primary key are replicated by whole rows. */
function tablesHaveKeys({ old, settings }: Look): Finding[] {
  const tables = json<Keyless[]>(old, "replication.keyless", []);
  const big = tables.filter(({ rows, bytes }) => rows >= bigKeyless.rows || bytes >= bigKeyless.bytes);
  const slow =
    big.length === 0
      ? ""
      : `; slow, as each UPDATE or DELETE reads the whole table on the other side: ${some(big.map(({ table, bytes }) => `${table} (${megabytes(bytes)})`))}`;
  return tables.length === 0
    ? []
    : [
        {
          place: `old, database ${settings.database.name}`,
          rule: "has a primary key in each table",
          value: `these have none: ${some(tables.map(({ table }) => table))}${slow}`,
          remedy: `ALTER TABLE ${tables[0]!.table} ADD PRIMARY KEY (...); otherwise the move sets REPLICA IDENTITY FULL while it lasts, and puts it back`,
          warning: true,
        },
      ];
}

/** A table that has said nothing of its key refuses UPDATE and DELETE once it is published. */
function identitiesWork({ old }: Look): Finding[] {
  return json<{ table: string; identity: "n" | "i"; key: boolean }[]>(old, "replication.identities", []).map(
    ({ table, identity, key }) => ({
      place: `old, table ${table}`,
      rule: "tells its rows apart by a valid key, or its UPDATEs fail once it is published",
      value: `its replica identity is ${identity === "n" ? "NOTHING" : "an index that is gone or not valid"}`,
      remedy: `ALTER TABLE ${table} REPLICA IDENTITY ${key ? "DEFAULT" : "FULL"};`,
    }),
  );
}

/** What is copied by a dump within the hold comes at least at this rate; half of the hold is for it. */
const leftOutRate = { bytesPerSecond: 20_000_000, objectsPerSecond: 5000 };

/** Large objects and unlogged tables are copied while statements wait. */
function leftOutFitsHold({ old, settings }: Look): Finding[] {
  const unlogged = json<{ table: string; bytes: number }[]>(old, "replication.unlogged", []);
  const large = json(old, "replication.largeObjects", { count: 0, bytes: 0 });
  if (unlogged.length === 0 && large.count === 0) return [];
  const bytes = unlogged.reduce((sum, table) => sum + table.bytes, 0) + (large.count > 0 ? large.bytes : 0);
  const seconds = bytes / leftOutRate.bytesPerSecond + large.count / leftOutRate.objectsPerSecond;
  const fits = seconds <= settings.holdBudget / 2;
  const parts = [
    ...(large.count > 0 ? [`${large.count} large objects (${megabytes(large.bytes)})`] : []),
    ...unlogged.map((table) => `unlogged table ${table.table} (${megabytes(table.bytes)})`),
  ];
  const told = `${some(parts)}: copied while statements wait, in about ${seconds.toFixed(1)} s`;
  return [
    {
      place: `old, database ${settings.database.name}`,
      rule: fits
        ? "has nothing that replication does not carry"
        : `has no more that replication does not carry than is copied in half of changeover:holdBudget, ${settings.holdBudget / 2} s`,
      value: `there is ${told}`,
      remedy: [
        ...(unlogged.length > 0 ? [`ALTER TABLE ${unlogged[0]!.table} SET LOGGED;`] : []),
        ...(large.count > 0 ? ["remove large objects that nobody needs (vacuumlo);"] : []),
        "or raise changeover:holdBudget, or: pulumi config set --path 'changeover:database.strategy' dump",
      ].join(" "),
      ...(fits ? { warning: true } : {}),
    },
  ];
}

/** A database that a restart of the server touches too. */
interface Other {
  database: string;
  sessions: number;
}

/** The logical log has to be on, and that needs a restart. */
function restarts(look: Look): Finding[] {
  const { restart } = look.settings.database;
  const meanwhile = usesPooler(look.settings) ? "statements wait" : "users see the maintenance page";
  return sides.flatMap((side) => {
    const settings = json<Record<string, string>>(look[side], "replication.settings", {});
    const others = json<Other[]>(look[side], "replication.others", []);
    const pending = json<string[]>(look[side], "replication.pending", []);
    if (settings["wal_level"] === "logical") return [];
    // Nobody uses new yet, unless it serves something else.
    if (side === "new" && others.length === 0 && pending.length === 0) return [];
    const touched = others.map(({ database, sessions }) => `${database} (${sessions} sessions)`);
    return [
      {
        place: `${side}, PostgreSQL`,
        rule: "writes the logical log",
        value: [
          `wal_level is ${settings["wal_level"]}: it is restarted in phase ${side === "old" ? restart : "prepared"}`,
          ...(touched.length > 0 ? [`which ends the sessions of these databases too: ${some(touched)}`] : []),
          ...(pending.length > 0 ? [`and brings into force what waits for a restart: ${some(pending)}`] : []),
        ].join(", "),
        remedy: `to choose the minute yourself: ALTER SYSTEM SET wal_level = 'logical'; and restart it${side === "old" ? `; to choose the phase: pulumi config set --path 'changeover:database.restart' app (${meanwhile}) or prepared` : ""}`,
        warning: true,
      },
    ];
  });
}

/** What of a server's capacity is used already. */
interface Used {
  slots: number;
  senders: number;
  appliers: number;
  origins: number;
  workers: number;
}

/** Both sides publish and follow once: old before the switch, new after it. */
function capacity(look: Look): Finding[] {
  return sides.flatMap((side) => {
    const facts = look[side];
    const used = json<Used | undefined>(facts, "replication.used", undefined);
    if (used === undefined) return [];
    const origins = Number.isNaN(numberOf(facts, "max_active_replication_origins"))
      ? "max_replication_slots"
      : "max_active_replication_origins";
    const needs: [setting: string, taken: number, needed: number][] = [
      ["max_replication_slots", used.slots, 1],
      ["max_wal_senders", used.senders, 2],
      ["max_logical_replication_workers", used.appliers, 1],
      ["max_worker_processes", used.workers, 1],
      [origins, used.origins, 1],
    ];
    return needs
      .filter(([setting, taken, needed]) => numberOf(facts, setting) - taken < needed)
      .map(([setting, taken, needed]) => ({
        place: `${side}, PostgreSQL`,
        rule: `has ${needed} free of its ${setting}`,
        value: `${taken} of ${numberOf(facts, setting)} are used`,
        remedy: `free one, or: ALTER SYSTEM SET ${setting} = ${taken + needed}; and restart PostgreSQL on ${side}`,
      }));
  });
}

/** What new has not read yet is kept on old's disk, from the slot's beginning on. */
function roomForLog({ settings, old, done, begun }: Look): Finding[] {
  const free = Number(old.get("replication.walFree") ?? 0);
  const size = Number(old.get("database.size")?.split("\t")[0] ?? 0);
  const segment = 1_048_576;
  const limit = numberOf(old, "max_slot_wal_keep_size") * segment;
  const least = Math.max(2 * numberOf(old, "max_wal_size") * segment, size / 2);
  const kept = begun("database-follow") && json<object[]>(old, "replication.feeds", []).length > 0;
  if (done("database-follow") || kept) return [];
  if (free < least)
    return [
      {
        place: "old, PostgreSQL's log (pg_wal)",
        rule: `has ${megabytes(least)} free for what new has not read yet (half of the database, at least twice max_wal_size)`,
        value: `${megabytes(free)} are`,
        remedy: "make room on old, or: pulumi config set --path 'changeover:database.strategy' dump",
      },
    ];
  if (Number.isNaN(limit)) return [];
  const place = "old, PostgreSQL";
  const remedy = `ALTER SYSTEM SET max_slot_wal_keep_size = '${Math.floor((0.8 * free) / segment)}MB'; select pg_reload_conf();`;
  if (limit < 0 || limit > free)
    return [
      {
        place,
        rule: "gives up a slot before its disk is full (max_slot_wal_keep_size)",
        value: `${limit < 0 ? "it has no limit" : `its limit is ${megabytes(limit)}`}, and ${megabytes(free)} are free: if new cannot read for long, old's disk fills up and the site stands still`,
        remedy,
        warning: true,
      },
    ];
  return limit >= Math.min(size, 0.7 * free)
    ? []
    : [
        {
          place,
          rule: "keeps what new has not read for as long as the copy takes (max_slot_wal_keep_size)",
          value: `its limit is ${megabytes(limit)}, and database ${settings.database.name} has ${megabytes(size)}: the copy may lose its slot and begin again`,
          remedy,
          warning: true,
        },
      ];
}

/** Triggers that fire for replicated rows do their work a second time on new. */
function triggersStaySilent({ settings, old }: Look): Finding[] {
  const place = `old, database ${settings.database.name}`;
  const events = json<string[]>(old, "replication.eventTriggers", []);
  return [
    ...json<{ table: string; trigger: string; fires: "A" | "R" }[]>(old, "replication.triggers", []).map(
      ({ table, trigger, fires }) => ({
        place: `old, table ${table}`,
        rule: "has no trigger that fires for replicated rows, for new gets what it wrote on old too",
        value: `trigger ${trigger} fires ${fires === "A" ? "always" : "for them alone"}`,
        remedy: `ALTER TABLE ${table} ${fires === "A" ? "ENABLE" : "DISABLE"} TRIGGER ${trigger};   (put it back after the move)`,
      }),
    ),
    ...(events.length === 0
      ? []
      : [
          {
            place,
            rule: "has no event trigger that fires in replication",
            value: `these do: ${some(events)}`,
            remedy: "see what they do when tables are made on new; ALTER EVENT TRIGGER ... ENABLE ends it",
            warning: true,
          },
        ]),
  ];
}

/** CREATE EXTENSION fills the tables of an extension by itself, or not at all. */
function extensionTables({ old }: Look): Finding[] {
  const tables = json<{ extension: string; table: string }[]>(old, "replication.extensionTables", []);
  return [...new Set(tables.map(({ extension }) => extension))].map((extension) => ({
    place: `old, extension ${extension}`,
    rule: "keeps no rows of its own",
    value: `it has rows in ${some(tables.filter((row) => row.extension === extension).map(({ table }) => table))}`,
    remedy: `compare them on new after the copy (scheduled jobs, say, are made there anew); if nobody uses it: DROP EXTENSION ${extension};`,
    warning: true,
  }));
}

/** What is broken on old would be mended, or fail, when it is made anew on new. */
function nothingIsBroken({ settings, old }: Look): Finding[] {
  const place = `old, database ${settings.database.name}`;
  const indexes = json<string[]>(old, "replication.invalidIndexes", []);
  const constraints = json<{ table: string; constraint: string }[]>(old, "replication.notValidated", []);
  return [
    ...indexes.map((index) => ({
      place,
      rule: "has valid indexes",
      value: `${index} is not, and is built anew on new, which fails where its rows are at fault`,
      remedy: `REINDEX INDEX CONCURRENTLY ${index}; or DROP INDEX ${index};`,
      warning: true,
    })),
    ...constraints.map(({ table, constraint }) => ({
      place: `old, table ${table}`,
      rule: "has validated constraints",
      value: `${constraint} is not: rows may break it, on new as well`,
      remedy: `ALTER TABLE ${table} VALIDATE CONSTRAINT ${constraint};`,
      warning: true,
    })),
  ];
}

/** A slot that nobody reads fills the disk; a transaction that stays open keeps a new slot waiting. */
function nothingHoldsTheLog({ old, begun }: Look): Finding[] {
  return [
    ...json<{ slot: string; bytes: number }[]>(old, "replication.idleSlots", []).map(({ slot, bytes }) => ({
      place: `old, replication slot ${slot}`,
      rule: "is read by somebody",
      value: `nobody does, and it keeps ${megabytes(bytes)} of the log`,
      remedy: `if nobody will: select pg_drop_replication_slot(${quote(slot)});`,
      warning: true,
    })),
    ...(begun("database-follow")
      ? []
      : json<{ database: string; transaction: string; remedy: string }[]>(
          old,
          "replication.waitedFor",
          [],
        ).map(({ database, transaction, remedy }) => ({
          place: `old, database ${database}`,
          rule: "has no transaction of more than 5 minutes, for the copy begins when all that are open have ended",
          value: transaction,
          remedy: `end it before the copy: ${remedy};`,
          warning: true,
        }))),
  ];
}

/** An index whose texts were sorted by other rules does not find them. */
function collations(look: Look): Finding[] {
  return sides.flatMap((side) =>
    json<{ of: string; name: string; recorded: string; actual: string }[]>(
      look[side],
      "replication.collations",
      [],
    ).map((collation) => collationFinding(side, collation)),
  );
}

/** One collation whose version has changed under the database. */
function collationFinding(
  side: Side,
  { of, name, recorded, actual }: { of: string; name: string; recorded: string; actual: string },
): Finding {
  const written = of === "database" ? `"${name}"` : name;
  return {
    place: `${side}, ${of} ${name}`,
    rule: "sorts by the rules with which its indexes were built",
    value: `they were built with version ${recorded}, and the system has ${actual}`,
    remedy: `REINDEX what sorts by it, then: ALTER ${of.toUpperCase()} ${written} REFRESH ${of === "database" ? "COLLATION VERSION" : "VERSION"};`,
    warning: true,
  };
}

/** Every guard of replication. */
export const replicationGuards: readonly Guard[] = [
  everythingWasTold,
  publisherVersion,
  tablesHaveKeys,
  identitiesWork,
  leftOutFitsHold,
  restarts,
  capacity,
  roomForLog,
  triggersStaySilent,
  extensionTables,
  nothingIsBroken,
  nothingHoldsTheLog,
  collations,
].map(whileOldLeads);
