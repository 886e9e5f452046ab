/** Facts of two servers that are ready, and what a test of a guard is: facts changed, one finding. */
import { describe, expect, it } from "vitest";
import type { Facts, Inspection } from "../../../components/facts/inspect.ts";
import {
  checkMove,
  describe as textOf,
  type Finding,
  findings,
  type GuardSettings,
} from "../../../components/guards/guards.ts";
import { parseConfig } from "../../../stacks/config.ts";
import { complete } from "../settings.ts";

/** Facts to change; `undefined` takes one away. */
export type Changes = Record<string, string | undefined>;

/** A complete move, by dump and restore. */
export const settings: GuardSettings = parseConfig({
  ...complete,
  database: { ...complete.database, strategy: "dump" },
});
const running = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled";
/** The same by replication. */
export const replicating: GuardSettings = {
  ...settings,
  database: { ...settings.database, strategy: "replicate" },
};
/** The same for an app that cannot use PgBouncer. */
export const byConfigFile: GuardSettings = {
  ...replicating,
  database: {
    ...replicating.database,
    endpoint: { ...replicating.database.endpoint, through: "configFile" },
  },
};
const both = {
  user: "0",
  clock: "1000.5",
  "missing.tools": "",
  machine: "x86_64",
  "nginx.test": "nginx: the configuration file syntax is ok\nnginx: configuration file test is successful",
  "database.version": "150020",
  "database.error": "",
  "replication.error": "",
  "replication.settings": JSON.stringify({
    wal_level: "logical",
    max_replication_slots: "10",
    max_wal_senders: "10",
    max_logical_replication_workers: "4",
    max_worker_processes: "8",
    max_wal_size: "1024",
    max_slot_wal_keep_size: "2000",
  }),
  "replication.used": JSON.stringify({ slots: 0, senders: 0, appliers: 0, origins: 0, workers: 1 }),
  done: "",
  begun: "",
  complete: "yes",
};
const old = {
  ...both,
  "nginx.files": "/etc/nginx/sites-enabled/shop",
  "unit.shop-web.service": running,
  "unit.shop-worker.service": running,
  ...Object.fromEntries(
    ["/srv/shop/uploads", "/srv/shop/app", "/etc/shop"].flatMap((path) => [
      [`path.${path}`, "directory"],
      [`bytes.${path}`, "1000000"],
    ]),
  ),
  "endpoint.matches": "1",
  "database.settings": "listen_addresses\tlocalhost, 198.51.100.10\nssl\ton",
  "database.names": "postgres\nshop",
  "database.roles": "postgres\tt\tt\nshop\tt\tf",
  "database.sessions": "shop\nchangeover_shop",
  "database.size": "1000000\tUTF8\ten_US.UTF-8\tC",
  "replication.walFree": "3000000000",
  "replication.verifiers": JSON.stringify([{ role: "shop", digest: "a" }]),
  "database.passwords": "shop\tscram",
  "database.extensions": "plpgsql\t1.0\ncitext\t1.6",
};
const fresh = {
  ...both,
  "package.php-fpm": "known",
  "package.pgbouncer": "installed",
  "packages.plan": "Inst php-fpm (8.4 Debian:13 [all])",
  "database.version": "170002",
  "database.names": "postgres",
  "database.roles": "postgres\tt\tt",
  "database.locales": "C\nen_US.utf8",
  "database.extensionsHere": "plpgsql\t1.0\ncitext\t1.6",
  "database.free": "2000000",
  "pooler.version": "1.24.1",
  "pooler.databases": "",
  "pooler.listener": "",
  ...Object.fromEntries(
    ["/srv/shop/uploads", "/srv/shop/app", "/etc/shop"].map((path) => [`free.${path}`, "64 10000000"]),
  ),
};

/** The facts of two servers that are ready, with some changed. */
export function look(onOld: Changes = {}, onNew: Changes = {}): Inspection {
  const facts = (base: Changes, changes: Changes): Facts =>
    new Map(
      Object.entries({ ...base, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
  return { old: facts(old, onOld), new: facts(fresh, onNew) };
}
/** What is found there. */
export const found = (onOld: Changes, onNew: Changes = {}, more: Partial<GuardSettings> = {}) =>
  findings({ ...settings, ...more }, look(onOld, onNew));

/** A finding's place and parts of its value and remedy. */
export type Expected = [place: string, value: string, remedy: string];

/** One finding, and no other. */
export function expectOne(
  all: Finding[],
  [place, value, remedy]: Expected,
  warning: boolean,
  unknown = false,
): void {
  expect(all).toEqual([
    {
      place,
      rule: expect.stringMatching(/./) as string,
      value: expect.stringContaining(value) as string,
      remedy: expect.stringContaining(remedy) as string,
      ...(warning ? { warning } : {}),
      ...(unknown ? { unknown } : {}),
    },
  ]);
}

/** Facts that are changed, and the one finding that they lead to. */
export type Case = [what: string, onOld: Changes, onNew: Changes, expected: Expected];

/** Each case stops the move, with all that it tells. */
export function stops(cases: Case[], base: GuardSettings = settings): void {
  describe("stops the move", () => {
    it.each(cases)("for %s", (_what, onOld, onNew, expected) => {
      const all = found(onOld, onNew, base);
      expectOne(all, expected, false);
      expect(() => checkMove(base, look(onOld, onNew))).toThrow(
        `1 thing stops this move; nothing was touched:\n${textOf(all[0]!)}`,
      );
    });
  });
}

/** In each case something could not be found out, and that alone is told: it is neither right nor wrong. The move is refused. */
export function cannotTell(cases: Case[], base: GuardSettings = settings): void {
  describe("cannot vouch for the move", () => {
    it.each(cases)("without %s", (_what, onOld, onNew, expected) => {
      const all = found(onOld, onNew, base);
      expectOne(all, expected, false, true);
      expect(() => checkMove(base, look(onOld, onNew))).toThrow(
        `1 thing could not be found out, so that nobody can vouch for this move; nothing was touched:\n${textOf(all[0]!)}`,
      );
    });
  });
}

/** Each case warns, and lets the move pass. */
export function warns(cases: Case[], base: GuardSettings = settings): void {
  describe("warns, and lets pass", () => {
    it.each(cases)("for %s", (_what, onOld, onNew, expected) => {
      const all = found(onOld, onNew, base);
      expectOne(all, expected, true);
      expect(checkMove(base, look(onOld, onNew))).toEqual(all.map(textOf));
    });
  });
}

/** Each case is no finding: what this move did itself, above all. */
export function passes(
  cases: [what: string, onOld: Changes, onNew: Changes][],
  base: GuardSettings = settings,
): void {
  describe("is silent", () => {
    it.each(cases)("on %s", (_what, onOld, onNew) => {
      expect(found(onOld, onNew, base)).toEqual([]);
    });
  });
}
