/** The database: access, roles, where the app finds it, and the switch by dump and restore. */
import { scriptBeside, type Setting } from "../script.ts";
import type { Facts } from "../facts/inspect.ts";
import type { Step } from "../step.ts";
import { maintenancePage } from "../maintenance/page.ts";
import type { SiteSettings } from "../site.ts";
import { checkSettings } from "../web/web.ts";

/** Lets the site's roles in from new: TLS, SCRAM, one address. */
export function openDatabase({ stepDeadline }: SiteSettings): Step {
  return {
    name: "database-access",
    side: "old",
    title: "let new into PostgreSQL (TLS, SCRAM, one address)",
    back: "take the rules out",
    folder: new URL("access/", import.meta.url),
    shared: [new URL("hba.sh", import.meta.url)],
    deadlineSeconds: stepDeadline,
  };
}

/** Makes the database's roles on new. */
export function copyRoles({ database, stepDeadline }: SiteSettings): Step {
  return {
    name: "database-roles",
    side: "new",
    title: "make the database's roles, passwords as they are",
    back: "remove them",
    folder: new URL("roles/", import.meta.url),
    // That one restarts new's PostgreSQL.
    after: database.strategy === "replicate" ? ["access-gate", "database-server"] : ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}

/** Leads the app on new to old's database. */
export function leadToOldDatabase({ database, stepDeadline }: SiteSettings): Step {
  return {
    name: "database-endpoint",
    side: "new",
    title: "lead the app to old's database",
    back: "put its file back",
    folder: new URL("endpoint/", import.meta.url),
    shared: [new URL("endpoint.sh", import.meta.url)],
    after: database.strategy === "replicate" ? ["files-copy", "database-pooler"] : ["files-copy"],
    deadlineSeconds: stepDeadline,
  };
}

/** Dumps and restores the database behind the maintenance page, and leads the app to it. */
export function switchDatabase(settings: SiteSettings): Step {
  const { site, database, maintenance } = settings;
  return {
    name: "database-switch",
    side: "new",
    title: "maintenance page, fence, copy, compare, lead the app to new's database",
    back: "lead the app back to old's database",
    folder: new URL("switch/", import.meta.url),
    shared: [
      new URL("sessions.sh", import.meta.url),
      new URL("copy.sh", import.meta.url),
      new URL("endpoint.sh", import.meta.url),
      new URL("../cron/entries.sh", import.meta.url),
      new URL("../web/check.sh", import.meta.url),
      new URL("../proxy/nginx.sh", import.meta.url),
      new URL("../proxy/include.sh", import.meta.url),
      new URL("../maintenance/page.sh", import.meta.url),
    ],
    settings: {
      ...checkSettings(site.checks),
      ...copySettings(settings),
      WRITES: scriptBeside(import.meta.url, "writes.sql"),
      PAGE: maintenancePage(site.names[0] ?? "", maintenance.message),
      RETRY_AFTER: maintenance.retryAfter,
    },
    deadlineSeconds: database.copyDeadline,
    onFailure: "keep",
    expectedSeconds: (old) => aheadSeconds(old) + pageSeconds(old),
  };
}

/** Installs PgBouncer's settings on new, leading to old. */
export function installPooler({ database, stepDeadline }: SiteSettings): Step {
  return {
    name: "database-pooler",
    side: "new",
    title: "PgBouncer between the app and old's database",
    back: "PgBouncer as it was",
    folder: new URL("pooler/", import.meta.url),
    shared: [new URL("pooler.sh", import.meta.url)],
    after: ["database-roles"],
    settings: { POOLER_MODE: database.pooler.mode, POOLER_SIZE: database.pooler.size },
    deadlineSeconds: stepDeadline,
  };
}

/** Makes new's PostgreSQL one that old's can follow. */
export function openNewDatabase({ stepDeadline }: SiteSettings): Step {
  return {
    name: "database-server",
    side: "new",
    title: "let old's PostgreSQL follow new's later (TLS, SCRAM, one address; restarts PostgreSQL on new)",
    back: "settings and rules as they were",
    folder: new URL("server/", import.meta.url),
    shared: [new URL("hba.sh", import.meta.url)],
    deadlineSeconds: stepDeadline,
  };
}

/** Restarts old's PostgreSQL where it cannot be followed yet. */
export function allowFollowing({ stepDeadline }: SiteSettings, after: readonly string[]): Step {
  return {
    name: "database-wal-level",
    side: "new",
    title: "restart PostgreSQL on old with wal_level = logical, statements wait (nothing where it is so)",
    back: "restart it with the setting as it was",
    folder: new URL("walLevel/", import.meta.url),
    shared: [new URL("pooler.sh", import.meta.url)],
    settings: { HOLD_LIMIT: 60 },
    after,
    deadlineSeconds: stepDeadline,
  };
}

/** Publishes old's changes. */
export function publishChanges({ stepDeadline }: SiteSettings): Step {
  return {
    name: "database-publication",
    side: "old",
    title: "publish the database's changes",
    back: "no publication, tables as they were",
    folder: new URL("publication/", import.meta.url),
    shared: [new URL("unpublish.sh", import.meta.url)],
    after: ["database-wal-level"],
    deadlineSeconds: stepDeadline,
  };
}

/** What every step that follows needs of the scripts. */
const following = ["sessions.sh", "copy.sh", "follow.sh", "pooler.sh"].map(
  (file) => new URL(file, import.meta.url),
);

/** What the copy needs of the settings. */
function copySettings({ database }: SiteSettings): Record<string, Setting> {
  return {
    COUNTS: scriptBeside(import.meta.url, "counts.sql"),
    ANALYZED: scriptBeside(import.meta.url, "analyzed.sql"),
    STREAMS: scriptBeside(import.meta.url, "streams.sql"),
    KEYS: scriptBeside(import.meta.url, "keys.sql"),
    WORKERS: database.workers,
    LAG_LIMIT: database.lagLimit,
  };
}

/** Copies the database while users are served, and lets the copy follow. */
export function followDatabase(settings: SiteSettings): Step {
  return {
    name: "database-follow",
    side: "new",
    title: "copy the database while users are served; the copy follows every write",
    back: "remove the copy",
    folder: new URL("follow/", import.meta.url),
    shared: following,
    settings: copySettings(settings),
    after: ["database-publication"],
    deadlineSeconds: settings.database.copyDeadline,
    onFailure: "keep",
    expectedSeconds: (old) => 3 + sizes(old).all / 60_000_000,
  };
}

/** Switches users' statements to new's database, with every write kept, and back. */
export function switchOver(settings: SiteSettings): Step {
  return {
    name: "database-switchover",
    side: "new",
    title:
      "statements wait a moment: fence old, last writes come, old follows new, lead the app to new's database",
    back: "the same switch to old's database, every write kept",
    folder: new URL("switchover/", import.meta.url),
    shared: [...following, new URL("switchover.sh", import.meta.url)],
    settings: { ...copySettings(settings), HOLD_BUDGET: settings.holdBudget },
    deadlineSeconds: settings.stepDeadline,
    onFailure: "keep",
  };
}

/** Bytes of the database on old: all, and of the tables that are copied ahead. */
function sizes(old: Facts): { all: number; ahead: number } {
  const all = Number(old.get("database.size")?.split("\t")[0] ?? 0);
  return { all, ahead: Math.min(all, Number(old.get("database.ahead") ?? 0)) };
}

/** Seconds for which big tables are copied while users are served. */
function aheadSeconds(old: Facts): number {
  return sizes(old).ahead / 100_000_000;
}

/** Seconds for which users will see the maintenance page. */
export function pageSeconds(old: Facts): number {
  const { all, ahead } = sizes(old);
  return 3 + (all - ahead) / 60_000_000 + ahead / 2_000_000_000;
}
