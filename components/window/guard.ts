/** Disruptive phases run within the window alone. */
import type { Temporal } from "temporal-polyfill";
import { forPeople } from "../duration.ts";
import type { Finding } from "../guards/guards.ts";
import { describeOpening, nextOpening, openingAt, type WindowSettings } from "./window.ts";

/** What a run is about to do. */
export interface Plan {
  /** Disruptive phases with steps that are still to be done. */
  phases: readonly string[];
  /** Seconds that all steps that are still to be done are expected to take. */
  seconds: number;
  /** A preview: what would be refused is told as a warning. */
  rehearsal: boolean;
}

/**
 * Says whether a run may begin now. The way back is never refused, for it does no step.
 * @param now the moment at which it would begin.
 */
export function checkWindow(
  window: WindowSettings | undefined,
  { phases, seconds, rehearsal }: Plan,
  now: Temporal.Instant,
): Finding[] {
  if (!window || phases.length === 0) return [];
  const opening = openingAt(window, now);
  const left = opening ? now.until(opening.to.toInstant()).total("seconds") : 0;
  if (opening && left >= seconds) return [];
  const next = nextOpening(window, now);
  const opens = next ? `it opens ${describeOpening(next)}` : "it does not open within a year";
  const value = opening
    ? `the window closes in ${forPeople(left)}, and this is expected to take ${forPeople(seconds)}`
    : `now it is closed; ${opens}`;
  return [
    {
      place: "changeover:window",
      rule: `phase ${phases.join(", ")} runs within the window`,
      value: window.override ? `${value}; it runs all the same: ${JSON.stringify(window.override)}` : value,
      remedy: window.override
        ? "when this is done: pulumi config rm --path 'changeover:window.override'"
        : `${opening ? `wait (${opens}), or do what comes before first (a lower phase)` : "wait"}; or give a reason, which goes into the journal: pulumi config set --path 'changeover:window.override' REASON`,
      warning: rehearsal || window.override !== "",
    },
  ];
}
