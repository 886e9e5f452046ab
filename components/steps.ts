/** Every step of a server move, as a value: what it is, where its scripts are, what they are given. Runs nothing. */
import { assignments, scriptBeside, type Setting } from "./script.ts";
import type { Facts } from "./facts/inspect.ts";
import type { Server } from "./server.ts";
import type { Step } from "./step.ts";

/** What the steps need to know of the site; durations in seconds. */
export interface SiteSettings {
  move: string;
  old: Server;
  new: Server;
  site: {
    names: readonly string[];
    nginx?: string | undefined;
    web: readonly string[];
    jobs: readonly string[];
    cron: readonly string[];
    logrotate: readonly string[];
    code: readonly string[];
    files: readonly string[];
    deploys: readonly string[];
    checks: readonly { path: string; marker: string; status: number }[];
  };
  database: {
    name: string;
    roles: readonly string[];
    port: number;
    workers: number;
    copyDeadline: number;
    endpoint: { file: string; address: string };
  };
  maintenance: { message: string; retryAfter: number };
  holdBudget: number;
  stepDeadline: number;
  acceptLostWrites?: number | undefined;
}

const here = (path: string) => new URL(path, import.meta.url);

/** Settings that every script may use, the inspection too. */
export function sharedSettings(settings: SiteSettings): Record<string, Setting> {
  const { site, database, old } = settings;
  return {
    OLD_ADDRESS: old.address,
    OLD_USER: old.user,
    OLD_PORT: old.port,
    NEW_ADDRESS: settings.new.address,
    NAMES: site.names,
    NGINX: site.nginx ?? "",
    WEB: site.web,
    JOBS: site.jobs,
    CRON: site.cron,
    LOGROTATE: site.logrotate,
    FILES: site.files,
    COPY: copiedPaths(settings),
    DEPLOYS: site.deploys,
    DATABASE: database.name,
    ROLES: database.roles,
    PGPORT: database.port,
    ENDPOINT_FILE: database.endpoint.file,
    ENDPOINT_ADDRESS: database.endpoint.address,
  };
}

/** What is copied from old: the users' files first, for the gate lets new write those, by their number, and no others. */
export function copiedPaths({ site }: SiteSettings): string[] {
  return [...site.files, ...site.code];
}

const nginxFunctions = [here("proxy/nginx.sh"), here("proxy/find.sh"), here("proxy/include.sh")];
const injection = (): Record<string, Setting> => ({
  INJECT: scriptBeside(import.meta.url, "proxy/inject.awk"),
});

/** Makes the key with which new reaches old. */
export function makeKey({ old, stepDeadline }: SiteSettings): Step {
  return {
    name: "access-key",
    side: "new",
    title: "make a key for reaching old",
    back: "remove the key",
    folder: here("access/key/"),
    settings: { OLD_HOST_KEY: old.hostKey },
    deadlineSeconds: stepDeadline,
  };
}

/** Opens old's firewall, where it has one, for new alone. */
export function openFirewall({ stepDeadline }: SiteSettings): Step {
  return {
    name: "firewall-open",
    side: "old",
    title: "open SSH and PostgreSQL in the firewall for new alone",
    back: "close them again",
    folder: here("firewall/open/"),
    shared: [here("firewall/chains.sh")],
    deadlineSeconds: stepDeadline,
  };
}

/** Lets new's key in, for the gate's fixed list of requests. */
export function openGate(settings: SiteSettings): Step {
  const gate = [
    "#!/usr/bin/env bash",
    "set -Eeuo pipefail",
    assignments({
      ...sharedSettings(settings),
      ...injection(),
      SIDE: "old",
      MOVE: settings.move,
      COUNTS: scriptBeside(import.meta.url, "database/counts.sql"),
      PASS_ON: passOnConfiguration(settings.new.address),
    }),
    scriptBeside(import.meta.url, "proxy/nginx.sh"),
    scriptBeside(import.meta.url, "proxy/find.sh"),
    scriptBeside(import.meta.url, "access/gate.sh"),
    'main "$1"',
    "",
  ].join("\n");
  return {
    name: "access-gate",
    side: "old",
    title: "let new's key in, for a fixed list of requests",
    back: "take the key out",
    folder: here("access/gate/"),
    shared: [here("access/keys.sh")],
    settings: { GATE: gate },
    results: { PUBLIC_KEY: { step: "access-key", result: "publicKey" } },
    after: ["firewall-open", "access-key"],
    deadlineSeconds: settings.stepDeadline,
  };
}

/** What old's nginx does with every request once it is passed on. */
export function passOnConfiguration(newAddress: string): string {
  return scriptBeside(import.meta.url, "proxy/pass-on.conf").replace(
    "NEW",
    newAddress.includes(":") ? `[${newAddress}]` : newAddress,
  );
}

/** Lets the site's roles in from new: TLS, SCRAM, one address. */
export function openDatabase({ stepDeadline }: SiteSettings): Step {
  return {
    name: "database-access",
    side: "old",
    title: "let new into PostgreSQL (TLS, SCRAM, one address)",
    back: "take the rules out",
    folder: here("database/access/"),
    shared: [here("database/hba.sh")],
    deadlineSeconds: stepDeadline,
  };
}

/** Makes the users and groups that own the site. */
export function copyAccounts({ stepDeadline }: SiteSettings): Step {
  return {
    name: "accounts",
    side: "new",
    title: "make the site's users and groups",
    back: "remove them",
    folder: here("accounts/copy/"),
    after: ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}

/** Copies code and users' files for the first time. */
export function copyFiles({ database, stepDeadline }: SiteSettings): Step {
  return {
    name: "files-copy",
    side: "new",
    title: "copy code and files",
    back: "remove the copies",
    folder: here("files/copy/"),
    shared: [here("files/rsync.sh")],
    after: ["accounts"],
    deadlineSeconds: Math.max(stepDeadline, database.copyDeadline),
    onFailure: "keep",
    expectedSeconds: (old) => 1 + bytesOf(old) / 60_000_000,
  };
}

/** Installs the unit files, off. */
export function copyUnits({ stepDeadline }: SiteSettings): Step {
  return {
    name: "units",
    side: "new",
    title: "install the systemd units, off",
    back: "remove them",
    folder: here("web/units/"),
    after: ["accounts"],
    deadlineSeconds: stepDeadline,
  };
}

/** Copies the certificates that nginx names. */
export function copyCertificates({ stepDeadline }: SiteSettings): Step {
  return {
    name: "certificates",
    side: "new",
    title: "copy the certificates",
    back: "remove them",
    folder: here("certificates/copy/"),
    after: ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}

/** Copies log rotation. */
export function copyLogrotate({ stepDeadline }: SiteSettings): Step {
  return {
    name: "logrotate",
    side: "new",
    title: "copy the log rotation",
    back: "remove it",
    folder: here("logrotate/copy/"),
    after: ["accounts", "files-copy"],
    deadlineSeconds: stepDeadline,
  };
}

/** Brings the cron entries, off. */
export function stageCron({ stepDeadline }: SiteSettings): Step {
  return {
    name: "cron-stage",
    side: "new",
    title: "bring the cron entries, off",
    back: "remove them",
    folder: here("cron/stage/"),
    shared: [here("cron/entries.sh")],
    after: ["access-gate"],
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
    folder: here("database/roles/"),
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
    folder: here("database/endpoint/"),
    shared: [here("database/endpoint.sh")],
    after: ["files-copy"],
    deadlineSeconds: stepDeadline,
  };
}

/** Installs the site in new's nginx. */
export function installSite({ stepDeadline }: SiteSettings): Step {
  return {
    name: "site",
    side: "new",
    title: "install the site in nginx",
    back: "take it out",
    folder: here("proxy/site/"),
    shared: nginxFunctions,
    settings: injection(),
    after: ["certificates"],
    deadlineSeconds: stepDeadline,
  };
}

/** Starts the app on new and checks it. */
export function startWeb({ site, stepDeadline }: SiteSettings): Step {
  return {
    name: "web-start",
    side: "new",
    title: "start the app through old's database and check it",
    back: "stop the app",
    folder: here("web/start/"),
    shared: [here("web/check.sh")],
    settings: checkSettings(site.checks),
    after: ["units", "site", "database-endpoint"],
    deadlineSeconds: stepDeadline,
    expectedSeconds: () => 3,
  };
}

/** The site's checks as three lists. */
function checkSettings(checks: SiteSettings["site"]["checks"]): Record<string, Setting> {
  return {
    CHECK_PATHS: checks.map(({ path }) => path),
    CHECK_MARKERS: checks.map(({ marker }) => marker),
    CHECK_STATUS: checks.map(({ status }) => String(status)),
  };
}

/** Refuses deploys on one side. */
export function closeDeploys(
  { stepDeadline }: SiteSettings,
  side: "old" | "new",
  after: readonly string[],
): Step {
  return {
    name: `deploys-${side}`,
    side,
    title: "refuse deploys with a message",
    back: "open deploys",
    folder: here("deploys/close/"),
    after,
    deadlineSeconds: stepDeadline,
  };
}

/** Brings what changed since the first copy. */
export function catchUpFiles({ database, stepDeadline }: SiteSettings): Step {
  return {
    name: "files-catch-up",
    side: "new",
    title: "bring what changed in code and files",
    back: "nothing",
    folder: here("files/catchUp/"),
    shared: [here("files/rsync.sh")],
    after: ["deploys-old"],
    deadlineSeconds: Math.max(stepDeadline, database.copyDeadline),
    expectedSeconds: () => 2,
  };
}

/** Stops the jobs on old. */
export function stopJobs({ stepDeadline }: SiteSettings): Step {
  return {
    name: "jobs-stop",
    side: "old",
    title: "stop the background jobs",
    back: "start them as they were",
    folder: here("jobs/stop/"),
    after: ["files-catch-up"],
    deadlineSeconds: stepDeadline,
  };
}

/** Stops cron on old. */
export function stopCron({ stepDeadline }: SiteSettings): Step {
  return {
    name: "cron-stop",
    side: "old",
    title: "take the cron entries out, wait for running jobs",
    back: "put them back",
    folder: here("cron/stop/"),
    shared: [here("cron/entries.sh")],
    after: ["files-catch-up"],
    deadlineSeconds: stepDeadline,
  };
}

/** Users are served by new from here on. */
export function takeTraffic({ holdBudget, stepDeadline }: SiteSettings): Step {
  return {
    name: "traffic",
    side: "new",
    title: "old's nginx passes every request to new",
    back: "old serves the site itself, users' files come back",
    folder: here("proxy/take/"),
    shared: [here("files/rsync.sh"), here("proxy/nginx.sh"), here("proxy/include.sh")],
    settings: { HOLD_BUDGET: holdBudget },
    after: ["jobs-stop", "cron-stop", "deploys-new"],
    deadlineSeconds: stepDeadline,
    expectedSeconds: () => 2,
  };
}

/** Starts the jobs on new. */
export function startJobs({ stepDeadline }: SiteSettings): Step {
  return {
    name: "jobs-start",
    side: "new",
    title: "start the background jobs",
    back: "stop them",
    folder: here("jobs/start/"),
    shared: [here("web/check.sh")],
    after: ["traffic"],
    deadlineSeconds: stepDeadline,
  };
}

/** Starts cron on new. */
export function startCron({ stepDeadline }: SiteSettings): Step {
  return {
    name: "cron-start",
    side: "new",
    title: "put the cron entries in place",
    back: "take them out, wait for running jobs",
    folder: here("cron/start/"),
    shared: [here("cron/entries.sh")],
    after: ["traffic"],
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
    folder: here("database/switch/"),
    shared: [
      here("database/copy.sh"),
      here("database/endpoint.sh"),
      here("cron/entries.sh"),
      here("web/check.sh"),
      here("proxy/nginx.sh"),
      here("proxy/include.sh"),
      here("maintenance/page.sh"),
    ],
    settings: {
      ...checkSettings(site.checks),
      COUNTS: scriptBeside(import.meta.url, "database/counts.sql"),
      PIECES: scriptBeside(import.meta.url, "database/pieces.sql"),
      WRITES: scriptBeside(import.meta.url, "database/writes.sql"),
      WORKERS: database.workers,
      PAGE: maintenancePage(site.names[0] ?? "", maintenance.message),
      RETRY_AFTER: maintenance.retryAfter,
    },
    deadlineSeconds: database.copyDeadline,
    onFailure: "keep",
    expectedSeconds: copySeconds,
  };
}

/** Seconds that the copy of the database will take, from its size. */
export function copySeconds(old: Facts): number {
  return 5 + Number(old.get("database.size")?.split("\t")[0] ?? 0) / 60_000_000;
}

/** Bytes that the first copy of files brings. */
function bytesOf(old: Facts): number {
  return [...old]
    .filter(([name]) => name.startsWith("bytes."))
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

/** The page that users see, with the operator's own text. */
export function maintenancePage(siteName: string, message: string): string {
  const escape = (text: string) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  return scriptBeside(import.meta.url, "maintenance/page.html")
    .replaceAll("SITE", () => escape(siteName))
    .replace("MESSAGE", () => escape(message));
}

/** Keeps the operator's consent to lose rows, where the switch's undo reads it. */
export function giveConsent({ stepDeadline }: SiteSettings, rows: number): Step {
  return {
    name: `accept-lost-writes-${rows}`,
    side: "new",
    title: `accept the loss of up to ${rows} rows on the way back`,
    back: "take the consent back",
    folder: here("consent/give/"),
    settings: { ACCEPT_LOST_WRITES: rows },
    deadlineSeconds: stepDeadline,
  };
}

/** Closes old for good. */
export function finishOld({ stepDeadline }: SiteSettings): Step {
  return {
    name: "finish-old",
    side: "old",
    title: "app off; new's access to old closed; nginx goes on passing requests to new",
    back: "none: this is the point of no return",
    folder: here("finish/old/"),
    shared: [here("access/keys.sh"), here("database/hba.sh"), here("firewall/chains.sh")],
    settings: { PUBLIC_KEY: "" },
    deadlineSeconds: stepDeadline,
    onFailure: "keep",
  };
}

/** Opens new for deploys. */
export function finishNew({ stepDeadline }: SiteSettings): Step {
  return {
    name: "finish-new",
    side: "new",
    title: "deploys open; the key for old removed",
    back: "none: this is the point of no return",
    folder: here("finish/new/"),
    after: ["finish-old"],
    deadlineSeconds: stepDeadline,
    onFailure: "keep",
  };
}
