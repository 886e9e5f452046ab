/** The app: its units, its start, its checks. */
import type { Setting } from "../script.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** What scripts need that start and stop the site's processes. */
export const processFiles = ["processes.sh", "supervisor.sh", "timers.sh"].map(
  (file) => new URL(file, import.meta.url),
);

/** Installs the unit files, off. */
export function copyUnits({ stepDeadline }: SiteSettings): Step {
  return {
    name: "units",
    side: "new",
    title: "install the systemd units, off",
    back: "remove them",
    folder: new URL("units/", import.meta.url),
    shared: [new URL("supervisor.sh", import.meta.url)],
    after: ["accounts"],
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
    folder: new URL("start/", import.meta.url),
    shared: [...processFiles, new URL("check.sh", import.meta.url)],
    settings: checkSettings(site.checks),
    after: ["units", "site", "database-endpoint"],
    deadlineSeconds: stepDeadline,
    remedy: "on new: systemctl restart the unit, and journalctl -u UNIT says why it ended",
    expectedSeconds: () => 3,
  };
}

/** The site's checks as three lists. */
export function checkSettings(checks: SiteSettings["site"]["checks"]): Record<string, Setting> {
  return {
    CHECK_PATHS: checks.map(({ path }) => path),
    CHECK_MARKERS: checks.map(({ marker }) => marker),
    CHECK_STATUS: checks.map(({ status }) => String(status)),
  };
}
