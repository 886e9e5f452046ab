/** The database: access, roles, where the app finds it, and the switch by dump and restore. */
import { scriptBeside, type Setting } from "../script.ts";
import { type Facts, json } from "../facts/inspect.ts";
import { cronFiles, cronSettings } from "../cron/cron.ts";
import { pauseMonit } from "../monit/monit.ts";
import type { Step } from "../step.ts";
import { maintenancePage } from "../maintenance/page.ts";
import { type SiteSettings, usesPooler } from "../site.ts";
import { checkSettings, processFiles } from "../web/web.ts";

/** The setting of a step whose unit's rest goes at once when it fails, for users wait: runuser would take two seconds over a SIGTERM. */
const endsAtOnce = { KILL_SIGNAL: "SIGKILL" };

/** What the steps need of the scripts that write pg_hba.conf and find out whom the fence keeps out there. */
const fencing = ["fence.sh", "hba.sh"].map((file) => new URL(file, import.meta.url));
const elsewhere = scriptBeside(import.meta.url, "elsewhere.sql");

/** Lets the site's roles in from new: TLS, SCRAM, one address. */
export function openDatabase({ stepDeadline }: SiteSettings): Step {
  return {
    name: "database-access",
    side: "old",
    title: "let new into PostgreSQL (TLS, SCRAM, one address)",
    back: "take the rules out",
    folder: new URL("access/", import.meta.url),
    shared: fencing,
    settings: { ELSEWHERE: elsewhere },
    deadlineSeconds: stepDeadline,
    heldUntil: "finish-old",
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
export function leadToOldDatabase(settings: SiteSettings): Step {
  return {
    name: "database-endpoint",
    side: "new",
    title: "lead the app to old's database",
    back: "put its file back",
    folder: new URL("endpoint/", import.meta.url),
    shared: [new URL("endpoint.sh", import.meta.url)],
    after: usesPooler(settings) ? ["files-copy", "database-pooler"] : ["files-copy"],
    deadlineSeconds: settings.stepDeadline,
  };
}

/** What closes the site behind the maintenance page and leads the app to another database by its own file. */
const behindPage = [
  new URL("endpoint.sh", import.meta.url),
  ...cronFiles,
  ...pauseMonit,
  ...processFiles,
  new URL("../web/check.sh", import.meta.url),
  new URL("../proxy/nginx.sh", import.meta.url),
  new URL("../proxy/include.sh", import.meta.url),
  new URL("../maintenance/page.sh", import.meta.url),
  new URL("../maintenance/close.sh", import.meta.url),
];

/** What that needs of the settings. */
function pageSettings({ site, maintenance }: SiteSettings): Record<string, Setting> {
  return {
    ...checkSettings(site.checks),
    ...cronSettings(),
    PAGE: maintenancePage(site.names[0] ?? "", maintenance.message),
    RETRY_AFTER: maintenance.retryAfter,
  };
}

/** Dumps and restores the database behind the maintenance page, and leads the app to it. */
export function switchDatabase(settings: SiteSettings): Step {
  return {
    name: "database-switch",
    side: "new",
    title: "maintenance page, fence, copy, compare, lead the app to new's database",
    back: "lead the app back to old's database",
    folder: new URL("switch/", import.meta.url),
    shared: [new URL("sessions.sh", import.meta.url), new URL("copy.sh", import.meta.url), ...behindPage],
    settings: {
      ...pageSettings(settings),
      ...copySettings(settings),
      WRITES: scriptBeside(import.meta.url, "writes.sql"),
    },
    deadlineSeconds: settings.database.copyDeadline,
    onFailure: "keep",
    expectedSeconds: (old) => aheadSeconds(old, settings.database.copyRate) + pageSeconds(settings, old),
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
    settings: { POOLER_SIZE: database.pooler.size },
    deadlineSeconds: stepDeadline,
    remedy: "on new: systemctl restart pgbouncer; journalctl -u pgbouncer says why it ended",
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
    shared: fencing,
    deadlineSeconds: stepDeadline,
    heldUntil: "finish-new",
  };
}

/** What holds the app's statements and leads them to a side: PgBouncer, or the app's own file behind the maintenance page. */
function throughFiles(settings: SiteSettings): URL[] {
  return usesPooler(settings)
    ? ["pooler.sh", "suspend.sh", "throughPooler.sh"].map((file) => new URL(file, import.meta.url))
    : [...behindPage, new URL("throughConfigFile.sh", import.meta.url)];
}

/** Restarts old's PostgreSQL where it cannot be followed yet; the app waits, unless nobody uses it on new yet. */
export function allowFollowing(settings: SiteSettings, after: readonly string[]): Step {
  const pooler = usesPooler(settings);
  const unused = !pooler && settings.database.restart === "prepared";
  return {
    name: "database-wal-level",
    side: "new",
    title: `restart PostgreSQL on old with wal_level = logical${pooler ? ", statements wait" : unused ? "" : " behind the maintenance page"} (nothing where it is so)`,
    back: "restart it with the setting as it was",
    folder: new URL("walLevel/", import.meta.url),
    shared: unused
      ? [new URL("walLevel/unused.sh", import.meta.url)]
      : [new URL("sessions.sh", import.meta.url), ...throughFiles(settings)],
    settings: {
      ...endsAtOnce,
      ...(pooler || unused ? {} : pageSettings(settings)),
      HOLD_LIMIT: pooler ? 60 : settings.stepDeadline,
    },
    after,
    deadlineSeconds: settings.stepDeadline,
    heldUntil: "finish-old",
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
    heldUntil: "finish-old",
  };
}

/** What every step that follows needs of the scripts. */
const following = ["sessions.sh", "copy.sh", "fence.sh", "follow.sh"].map(
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
    COPY_RATE: database.copyRate,
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
    shared: [...following, new URL("resume.sh", import.meta.url)],
    settings: { ...endsAtOnce, ...copySettings(settings), ELSEWHERE: elsewhere },
    after: ["database-publication"],
    deadlineSeconds: settings.database.copyDeadline,
    onFailure: "keep",
    expectedSeconds: (old) => 3 + sizes(old).all / slower(60_000_000, settings.database.copyRate),
  };
}

/** Switches users' statements to new's database, with every write kept, and back. */
export function switchOver(settings: SiteSettings): Step {
  const pooler = usesPooler(settings);
  return {
    name: "database-switchover",
    side: "new",
    title: `${pooler ? "statements wait a moment" : "maintenance page"}: fence old, last writes come, old follows new, lead the app to new's database`,
    back: "the same switch to old's database, every write kept",
    folder: new URL("switchover/", import.meta.url),
    shared: [...following, ...throughFiles(settings), new URL("switchover.sh", import.meta.url)],
    settings: {
      ...endsAtOnce,
      ...copySettings(settings),
      ...(pooler ? {} : pageSettings(settings)),
      HOLD_BUDGET: settings.holdBudget,
    },
    deadlineSeconds: settings.stepDeadline,
    onFailure: "keep",
    ...(pooler ? {} : { expectedSeconds: () => restartSeconds }),
  };
}

/** Bytes of the database on old: all, and of the tables that are copied ahead. */
function sizes(old: Facts): { all: number; ahead: number } {
  const all = Number(old.get("database.size")?.split("\t")[0] ?? 0);
  return { all, ahead: Math.min(all, Number(old.get("database.ahead") ?? 0)) };
}

/** Seconds for which big tables are copied while users are served. */
function aheadSeconds(old: Facts, copyRate: number): number {
  return sizes(old).ahead / slower(100_000_000, copyRate);
}

/** Bytes a second: what servers usually do, or what the settings allow. */
function slower(usual: number, copyRate: number): number {
  return copyRate > 0 ? Math.min(usual, copyRate) : usual;
}

/** Seconds for which the app is stopped and started again behind the maintenance page. */
const restartSeconds = 5;

/** Seconds for which users will see the maintenance page at the switch; none where they see no page. */
export function pageSeconds(settings: SiteSettings, old: Facts): number {
  const { all, ahead } = sizes(old);
  if (usesPooler(settings)) return 0;
  if (settings.database.strategy === "replicate") return restartSeconds;
  return 3 + (all - ahead) / 60_000_000 + ahead / 2_000_000_000;
}

/** Seconds for which they will see it in phase `app`, while PostgreSQL on old restarts; none where it need not, or statements wait. */
export function restartPageSeconds(settings: SiteSettings, old: Facts): number {
  const { strategy, restart } = settings.database;
  const { wal_level: level } = json<Record<string, string>>(old, "replication.settings", {});
  const behind = strategy === "replicate" && restart === "app" && !usesPooler(settings);
  return behind && level !== undefined && level !== "logical" ? restartSeconds : 0;
}
