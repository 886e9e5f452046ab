/** The site's cron entries: one owner at any time. */
import { scriptBeside, type Setting } from "../script.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** What scripts need that take cron entries out and put them back. */
export const cronFiles = [new URL("entries.sh", import.meta.url), new URL("missed.sh", import.meta.url)];

/** What those scripts need of settings. */
export const cronSettings = (): Record<string, Setting> => ({
  DUE: scriptBeside(import.meta.url, "due.awk"),
});

/** Brings the cron entries, off. */
export function stageCron({ stepDeadline }: SiteSettings): Step {
  return {
    name: "cron-stage",
    side: "new",
    title: "bring the cron entries, off",
    back: "remove them",
    folder: new URL("stage/", import.meta.url),
    shared: [new URL("entries.sh", import.meta.url)],
    after: ["access-gate"],
    deadlineSeconds: stepDeadline,
  };
}

/** Stops cron on old. */
export function stopCron({ stepDeadline }: SiteSettings, after: readonly string[]): Step {
  return {
    name: "cron-stop",
    side: "old",
    title: "take the cron entries out, wait for running jobs",
    back: "put them back",
    folder: new URL("stop/", import.meta.url),
    shared: cronFiles,
    settings: cronSettings(),
    after,
    deadlineSeconds: stepDeadline,
    remedy: "on old: take it away again; it runs on new, and twice is wrong",
  };
}

/** Starts cron on new. */
export function startCron({ stepDeadline }: SiteSettings): Step {
  return {
    name: "cron-start",
    side: "new",
    title: "put the cron entries in place",
    back: "take them out, wait for running jobs",
    folder: new URL("start/", import.meta.url),
    shared: [...cronFiles, new URL("../access/handed.sh", import.meta.url)],
    settings: cronSettings(),
    after: ["traffic"],
    deadlineSeconds: stepDeadline,
  };
}
