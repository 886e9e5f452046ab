/** The site's log rotation. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Copies log rotation. */
export function copyLogrotate({ stepDeadline }: SiteSettings): Step {
  return {
    name: "logrotate",
    side: "new",
    title: "copy the log rotation",
    back: "remove it",
    folder: new URL("copy/", import.meta.url),
    after: ["accounts", "files-copy"],
    deadlineSeconds: stepDeadline,
  };
}
