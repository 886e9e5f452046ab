/** What the steps need to know of the site, and what every script is told of it. */
import type { Setting } from "./script.ts";
import type { Server } from "./server.ts";

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
    /** Debian packages that new needs. */
    packages: readonly string[];
    checks: readonly { path: string; marker: string; status: number }[];
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
    endpoint: { file: string; address: string };
  };
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
    LOGROTATE: site.logrotate,
    FILES: site.files,
    COPY: copiedPaths(settings),
    DEPLOYS: site.deploys,
    PACKAGES: neededPackages(settings),
    DATABASE: database.name,
    ROLES: database.roles,
    PGPORT: database.port,
    STRATEGY: database.strategy,
    POOLER_PORT: database.pooler.port,
    BIG: database.copyAhead,
    ENDPOINT_FILE: database.endpoint.file,
    ENDPOINT_ADDRESS: database.endpoint.address,
  };
}

/** The Debian packages that new needs: the site's, and those of the way that its database goes. */
export function neededPackages({ site, database }: SiteSettings): string[] {
  return [...new Set([...site.packages, ...(database.strategy === "replicate" ? ["pgbouncer"] : [])])];
}

/** What is copied from old: the users' files first, for the gate lets new write those, by their number, and no others. */
export function copiedPaths({ site }: SiteSettings): string[] {
  return [...site.files, ...site.code];
}
