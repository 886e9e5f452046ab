/** The background jobs: one owner at any time. */
import { processFiles } from "../web/web.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Stops the jobs on old. */
export function stopJobs({ stepDeadline }: SiteSettings, after: readonly string[]): Step {
  return {
    name: "jobs-stop",
    side: "old",
    title: "stop the background jobs",
    back: "start them as they were",
    folder: new URL("stop/", import.meta.url),
    shared: processFiles,
    after,
    deadlineSeconds: stepDeadline,
    remedy: "on old: systemctl disable --now the unit; it runs on new, and twice is wrong",
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
    shared: [...processFiles, new URL("../access/handed.sh", import.meta.url)],
    after: ["traffic"],
    deadlineSeconds: stepDeadline,
    remedy: "on new: systemctl restart the unit, and journalctl -u UNIT says why it ended",
  };
}
