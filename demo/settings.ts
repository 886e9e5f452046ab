/** The settings with which the demo shop is moved in the lab. */
import { readFileSync } from "node:fs";

/** What `lab/up` prints. */
export interface Lab {
  name: string;
  netns: string;
  keyFile: string;
  knownHosts: string;
  old: { address: string; hostKey: string };
  new: { address: string; hostKey: string };
  /** Where it was loaded from a save: the folder that was kept beside the servers. */
  beside?: string;
}

/** The text of the demo's maintenance page; the client recognizes the page by it. */
export const maintenanceMessage = "We move to a faster server & will be back in a minute.";

/** Settings of the demo's move, as `pulumi config` has them, with others for the database where given. */
export function demoSettings(lab: Lab, database: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    "changeover:move": "shop",
    "changeover:phase": "idle",
    "changeover:old": { address: lab.old.address, hostKey: lab.old.hostKey },
    "changeover:new": { address: lab.new.address, hostKey: lab.new.hostKey },
    "changeover:privateKeyFile": lab.keyFile,
    "changeover:site": {
      names: ["shop.example.org", "www.shop.example.org"],
      nginx: "shop",
      web: ["shop-web.service", "shop-live.service"],
      jobs: "shop-worker.service",
      cron: ["/etc/cron.d/shop", "crontab of shop"],
      logrotate: "shop",
      files: "/srv/shop/uploads",
      code: ["/srv/shop/app", "/srv/git/shop.git", "/etc/shop", "/etc/sudoers.d/shop", "/var/log/shop"],
      deploys: "/srv/git/shop.git",
      checks: [{ path: "/health", marker: "ok" }],
    },
    "changeover:database": {
      name: "shop",
      roles: "shop",
      // The demo's tables are small: so that it shows what big ones get, all of them count as big.
      copyAhead: "1 kB",
      endpoint: { file: "/etc/shop/shop.env", address: "127.0.0.1:5432" },
      ...database,
    },
    "changeover:stragglers": { accept: "the demo's client goes on using old's address" },
    "changeover:maintenance": { message: maintenanceMessage, retryAfter: "30 seconds" },
  };
}

/** The same for where it does not matter how quick this machine is: users wait longer on one that is busy. */
export function patientSettings(lab: Lab, database?: Record<string, unknown>): Record<string, unknown> {
  return { ...demoSettings(lab, database), ...patience };
}

/** What is waited for longer than an operator would by default. */
export const patience = { "changeover:holdBudget": "1 minute" };

/** Reads what `lab/up` printed, the last line of its output. */
export function parseLab(output: string): Lab {
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Lab;
}

/** The private key of the lab. */
export function labKey(lab: Lab): string {
  return readFileSync(lab.keyFile, "utf8");
}
