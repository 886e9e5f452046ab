/** The background jobs: one owner at any time. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Stops the jobs on old. */
export function stopJobs({ stepDeadline }: SiteSettings): Step {
  return {
    name: "jobs-stop",
    side: "old",
    title: "stop the background jobs",
    back: "start them as they were",
    folder: new URL("stop/", import.meta.url),
    after: ["files-catch-up"],
    deadlineSeconds: stepDeadline,
  };
}

/** Starts the jobs on new. */
export function startJobs({ stepDeadline }: SiteSettings): Step {
  return {
    name: "jobs-start",
    side: "new",
    title: "start the background jobs",
    back: "stop them",
    folder: new URL("start/", import.meta.url),
    shared: [new URL("../web/check.sh", import.meta.url)],
    after: ["traffic"],
    deadlineSeconds: stepDeadline,
  };
}
