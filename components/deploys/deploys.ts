/** Deploys: by git push, and by other tools that look for a lock. */
import type { Setting } from "../script.ts";
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Functions that close and open deploys; the steps at the end of a move share them. */
export const deployFunctions = new URL("lock.sh", import.meta.url);

/** What those functions are told. */
export function deploySettings({ operator }: SiteSettings): Record<string, Setting> {
  return { OPERATOR: operator };
}

/** Refuses deploys on one side; what has begun ends first. */
export function closeDeploys(settings: SiteSettings, side: "old" | "new", after: readonly string[]): Step {
  return {
    name: `deploys-${side}`,
    side,
    title: "refuse deploys with a message",
    back: "open deploys",
    folder: new URL("close/", import.meta.url),
    shared: [deployFunctions],
    settings: deploySettings(settings),
    after,
    deadlineSeconds: settings.stepDeadline,
    ...(side === "new" ? { heldUntil: "finish-new" } : {}),
  };
}
