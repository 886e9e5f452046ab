/** What the steps need to know of the site, and what every script is told of it. */
import type { CanarySettings } from "./canary/canary.ts";
import { type DnsSettings, isRfc2136 } from "./dns/dns.ts";
import type { CertificateSettings } from "./certificates/certificates.ts";
import type { Setting } from "./script.ts";
import type { Server } from "./server.ts";
import type { StragglerSettings } from "./stragglers/guard.ts";

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
    /** monit's files, by their names in conf.d or conf-enabled. */
    monit: readonly string[];
    /** What seems to belong to the site, and stays behind. */
    leave: readonly string[];
    logrotate: readonly string[];
    code: readonly string[];
    files: readonly string[];
    deploys: readonly string[];
    /** Lock files that keep other tools from deploying. */
    deployLocks: readonly string[];
    /** Debian packages that new needs. */
    packages: readonly string[];
    /** What clears the app's cache, as whom, within how many seconds. */
    cacheClear?: { command: string; user: string; deadline: number } | undefined;
    checks: readonly { path: string; marker: string; status: number }[];
    /** Pages that have to be the same on old and new; none: those of the checks. */
    compare: readonly { path: string; marker: string }[];
    /** One write that tells whose database answers. */
    canary?: CanarySettings | undefined;
  };
  database: {
    name: string;
    roles: readonly string[];
    port: number;
    workers: number;
    strategy: "replicate" | "dump";
    /** In which phase PostgreSQL on old is restarted, where it has to be so that it can be followed. */
    restart: "app" | "prepared";
    /** PgBouncer on new: its port, how it shares sessions, how many it has with the server at most. */
    pooler: { port: number; mode: "transaction" | "session"; size: number };
    /** How many bytes behind the follower may be when the switch begins. */
    lagLimit: number;
    copyDeadline: number;
    /** Tables of so many bytes or more are copied while users are served, where they have a primary key. */
    copyAhead: number;
    /** How many bytes a second the copy reads on old while users are served; 0: as many as it can. */
    copyRate: number;
    /** The app's file that names its database, as it stands there, and what leads the app to a side's database with strategy replicate. */
    endpoint: { file: string; address: string; through: "pooler" | "configFile" };
  };
  certificates: CertificateSettings;
  /** Where the site's names are kept; without, changeover leaves them alone. */
  dns?: DnsSettings | undefined;
  /** Who moves the site, as people are told; empty: the login on the server. */
  operator: string;
  stragglers: StragglerSettings;
  maintenance: { message: string; retryAfter: number };
  holdBudget: number;
  stepDeadline: number;
  acceptLostWrites?: number | undefined;
}

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
    MONIT: site.monit,
    LOGROTATE: site.logrotate,
    FILES: site.files,
    COPY: copiedPaths(settings),
    DEPLOYS: site.deploys,
    DEPLOY_LOCKS: site.deployLocks,
    PACKAGES: neededPackages(settings),
    DATABASE: database.name,
    ROLES: database.roles,
    PGPORT: database.port,
    STRATEGY: database.strategy,
    THROUGH: usesPooler(settings) ? "pooler" : "configFile",
    POOLER_PORT: database.pooler.port,
    POOLER_MODE: database.pooler.mode,
    BIG: database.copyAhead,
    ENDPOINT_FILE: database.endpoint.file,
    ENDPOINT_ADDRESS: database.endpoint.address,
  };
}

/** Whether the app reaches its database through PgBouncer on new, or by its own file alone. */
export function usesPooler({
  database,
}: {
  database: Pick<SiteSettings["database"], "strategy" | "endpoint">;
}): boolean {
  return database.strategy === "replicate" && database.endpoint.through === "pooler";
}

/** The Debian packages that new needs: the site's, and those of the way that its database goes. */
export function neededPackages(settings: SiteSettings): string[] {
  const { site, dns, certificates } = settings;
  return [
    ...new Set([
      ...site.packages,
      ...([...site.web, ...site.jobs].some((name) => name.startsWith("supervisor:")) ? ["supervisor"] : []),
      ...(site.monit.length > 0 ? ["monit"] : []),
      ...(usesPooler(settings) ? ["pgbouncer"] : []),
      ...(dns && isRfc2136(dns) ? ["bind9-dnsutils"] : []),
      ...(certificates.from === "acme" ? ["certbot"] : []),
    ]),
  ];
}

/** What is copied from old: the users' files first, for the gate lets new write those, by their number, and no others. */
export function copiedPaths({ site }: SiteSettings): string[] {
  return [...site.files, ...site.code];
}
