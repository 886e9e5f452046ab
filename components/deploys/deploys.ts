/** Deploys by git push. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

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
    folder: new URL("close/", import.meta.url),
    after,
    deadlineSeconds: stepDeadline,
  };
}
