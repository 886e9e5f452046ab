/** The site's cron entries: one owner at any time. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

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
export function stopCron({ stepDeadline }: SiteSettings): Step {
  return {
    name: "cron-stop",
    side: "old",
    title: "take the cron entries out, wait for running jobs",
    back: "put them back",
    folder: new URL("stop/", import.meta.url),
    shared: [new URL("entries.sh", import.meta.url)],
    after: ["files-catch-up"],
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
    folder: new URL("start/", import.meta.url),
    shared: [new URL("entries.sh", import.meta.url)],
    after: ["traffic"],
    deadlineSeconds: stepDeadline,
  };
}
