/** How far a move is by the marks that its steps have left on the servers, whatever the settings say. */
import { type Inspection, lines, Unreachable } from "../components/facts/inspect.ts";
import type { Phase } from "./config.ts";
import { phaseNumber, type ReachedPhase, reachedPhases, type Runbook } from "./runbook.ts";

/** What is on the servers. */
export interface Marks {
  done: (step: string) => boolean;
  begun: (step: string) => boolean;
}

/** The marks of a move's steps, of both servers together; of one that could not be asked, none. */
export function marksOf(move: string, { old, new: fresh }: Inspection): Marks {
  const marked = (mark: "done" | "begun") => {
    const steps = new Set(
      [old, fresh].flatMap((facts) => (facts instanceof Unreachable ? [] : lines(facts, mark))),
    );
    return (step: string) => steps.has(`${move}/${step}`);
  };
  return { done: marked("done"), begun: marked("begun") };
}

/** How far a move is. */
export interface Progress {
  /** The last phase that is reached as a whole, all before it too. */
  reached: Phase;
  /** The phase of which only a part is done, on the way there or back. */
  partial?: { phase: ReachedPhase; done: number; steps: number };
}

/**
 * Finds out how far a move is. A phase without steps is reached where the settings say so and all before it is.
 * @param phase the phase of the settings.
 */
export function progressOf(runbook: Runbook, phase: Phase, { done, begun }: Marks): Progress {
  // Old may be switched off by then, and its marks with it.
  const last = runbook.finished.at(-1);
  if (last && done(last.name)) return { reached: "finished" };
  let reached: Phase = "idle";
  for (const next of reachedPhases("finished")) {
    const steps = runbook[next];
    const number = steps.filter(({ name }) => done(name)).length;
    const isReached = steps.length > 0 ? number === steps.length : phaseNumber(phase) >= phaseNumber(next);
    if (isReached) {
      reached = next;
      continue;
    }
    const later = reachedPhases("finished").filter((one) => phaseNumber(one) >= phaseNumber(next));
    const marked = later.find((one) => runbook[one].some(({ name }) => done(name) || begun(name)));
    if (marked === undefined) return { reached };
    // What a phase without steps comes before is on the way all the same.
    if (steps.length === 0) {
      reached = next;
      continue;
    }
    return { reached, partial: { phase: next, done: number, steps: steps.length } };
  }
  return { reached };
}

/** Whether a run goes on to a phase that is not reached yet; the way back does not, and neither does the same again. */
export function goesAhead(
  runbook: Runbook,
  { move, phase }: { move: string; phase: Phase },
  inspection: Inspection,
): boolean {
  return phaseNumber(phase) > phaseNumber(progressOf(runbook, phase, marksOf(move, inspection)).reached);
}

/** `app`, or `prepared, and 3 of 8 steps of app`. */
export function describeProgress({ reached, partial }: Progress): string {
  return partial ? `${reached}, and ${partial.done} of ${partial.steps} steps of ${partial.phase}` : reached;
}
