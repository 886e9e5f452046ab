/** What a run is about to do, as the window wants to know it. */
import { type Facts, type Inspection, Unreachable } from "../components/facts/inspect.ts";
import type { Step } from "../components/step.ts";
import type { Plan } from "../components/window/guard.ts";
import type { MoveConfig } from "./config.ts";
import { marksOf } from "./progress.ts";
import { reachedIn, type ReachedPhase, type Runbook } from "./runbook.ts";

/** Seconds that one step takes beside its own work: connection, lock, verify. */
const secondsPerStep = 0.5;

/** Seconds that a step is expected to take. */
export function stepSeconds(step: Step, old: Facts): number {
  return secondsPerStep + (step.expectedSeconds?.(old) ?? 0);
}

/** Old's facts; none where it could not be reached. */
export function factsOfOld({ old }: Inspection): Facts {
  return old instanceof Unreachable ? new Map<string, string>() : old;
}

/** Whether a step of this move is done, on either server. */
export function doneSteps(move: string, inspection: Inspection): (step: Step) => boolean {
  const { done } = marksOf(move, inspection);
  return ({ name }) => done(name);
}

/** Phases that users may notice: there they wait, or see the maintenance page. */
function disruptive({ database }: Pick<MoveConfig, "database">): ReachedPhase[] {
  const restarts = database.strategy === "replicate" && database.restart === "prepared";
  return [...(restarts ? (["prepared"] as const) : []), "app", "database", "dns"];
}

/** What is still to be done up to the phase. */
export function planOf(
  runbook: Runbook,
  settings: Pick<MoveConfig, "move" | "phase" | "database">,
  inspection: Inspection,
  rehearsal: boolean,
): Plan {
  return planIn(runbook, { ...settings, disruptive: disruptive(settings) }, inspection, rehearsal);
}

/** The same of any runbook. */
export function planIn<P extends string>(
  runbook: Runbook<P>,
  { move, phase, disruptive }: { move: string; phase: P | "idle"; disruptive: readonly P[] },
  inspection: Inspection,
  rehearsal: boolean,
): Plan {
  const isDone = doneSteps(move, inspection);
  const open = reachedIn(runbook, phase).map((reached) => ({
    phase: reached,
    steps: runbook[reached].filter((step) => !isDone(step)),
  }));
  const old = factsOfOld(inspection);
  return {
    phases: open
      .filter(({ phase: reached, steps }) => steps.length > 0 && disruptive.includes(reached))
      .map(({ phase: reached }) => reached),
    seconds: open.flatMap(({ steps }) => steps).reduce((sum, step) => sum + stepSeconds(step, old), 0),
    rehearsal,
  };
}
