/** The operator's consent to lose rows on the way back. */
import type { Step } from "../step.ts";
import type { SiteSettings } from "../site.ts";

/** Keeps the operator's consent to lose rows, where the switch's undo reads it. */
export function giveConsent({ stepDeadline }: Pick<SiteSettings, "stepDeadline">, rows: number): Step {
  return {
    name: `accept-lost-writes-${rows}`,
    side: "new",
    title: `accept the loss of up to ${rows} rows on the way back`,
    back: "take the consent back",
    folder: new URL("give/", import.meta.url),
    settings: { ACCEPT_LOST_WRITES: rows },
    deadlineSeconds: stepDeadline,
  };
}
