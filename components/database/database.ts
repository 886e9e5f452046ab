/** The database: access, roles, where the app finds it, and the switch by dump and restore. */
import { scriptBeside } from "../script.ts";
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
export function copyRoles({ stepDeadline }: SiteSettings): Step {
  return {
    name: "database-roles",
    side: "new",
    title: "make the database's roles, passwords as they are",
    back: "remove them",
    folder: new URL("roles/", import.meta.url),
    after: ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}

/** Leads the app on new to old's database. */
export function leadToOldDatabase({ stepDeadline }: SiteSettings): Step {
  return {
    name: "database-endpoint",
    side: "new",
    title: "lead the app to old's database",
    back: "put its file back",
    folder: new URL("endpoint/", import.meta.url),
    shared: [new URL("endpoint.sh", import.meta.url)],
    after: ["files-copy"],
    deadlineSeconds: stepDeadline,
  };
}

/** Dumps and restores the database behind the maintenance page, and leads the app to it. */
export function switchDatabase({ site, database, maintenance }: SiteSettings): Step {
  return {
    name: "database-switch",
    side: "new",
    title: "maintenance page, fence, copy, compare, lead the app to new's database",
    back: "lead the app back to old's database",
    folder: new URL("switch/", import.meta.url),
    shared: [
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
      COUNTS: scriptBeside(import.meta.url, "counts.sql"),
      ANALYZED: scriptBeside(import.meta.url, "analyzed.sql"),
      STREAMS: scriptBeside(import.meta.url, "streams.sql"),
      KEYS: scriptBeside(import.meta.url, "keys.sql"),
      WRITES: scriptBeside(import.meta.url, "writes.sql"),
      WORKERS: database.workers,
      PAGE: maintenancePage(site.names[0] ?? "", maintenance.message),
      RETRY_AFTER: maintenance.retryAfter,
    },
    deadlineSeconds: database.copyDeadline,
    onFailure: "keep",
    expectedSeconds: (old) => aheadSeconds(old) + pageSeconds(old),
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
