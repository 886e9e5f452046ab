/** What the operator has decided against a rule, with the reason: kept in the journal. */
import { createHash } from "node:crypto";
import type { SiteSettings } from "../site.ts";
import type { Step } from "../step.ts";

/** A rule that a reason overrides. */
interface Rule {
  /** How its steps' names begin; never renamed once released. */
  name: string;
  /** What is decided, for the run sheet: `going on outside of the window`. */
  what: string;
  /** The same for the journal. */
  decision: string;
}

/** Going on outside of the window. */
export const outsideOfWindow: Rule = {
  name: "window-override",
  what: "going on outside of the window",
  decision: "outside of the window",
};

/** Finishing while somebody still comes to old. */
export const withStragglers: Rule = {
  name: "stragglers-accepted",
  what: "finishing while somebody comes to old",
  decision: "stragglers accepted",
};

/** Writes the reason into the journal; each reason once. */
export function recordDecision(
  { stepDeadline }: Pick<SiteSettings, "stepDeadline">,
  { name, what, decision }: Rule,
  reason: string,
): Step {
  return {
    name: `${name}-${createHash("sha256").update(reason).digest("hex").slice(0, 8)}`,
    side: "new",
    title: `write the reason for ${what} into the journal`,
    back: "nothing: the journal keeps it",
    folder: new URL("./", import.meta.url),
    settings: { DECISION: decision, REASON: reason },
    deadlineSeconds: stepDeadline,
  };
}
