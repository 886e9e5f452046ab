/** How far a move is by the marks that its steps have left on the servers, whatever the settings say. */
import { type Inspection, lines, Unreachable } from "../components/facts/inspect.ts";
import { reachedIn, type ReachedPhase, type Runbook } from "./runbook.ts";

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
export interface Progress<P extends string = ReachedPhase> {
  /** The last phase that is reached as a whole, all before it too. */
  reached: P | "idle";
  /** The phase of which only a part is done, on the way there or back. */
  partial?: { phase: P; done: number; steps: number };
}

/**
 * Finds out how far a move is. A phase without steps is reached where the settings say so and all before it is.
 * @param phase the phase of the settings.
 * @param isOver it is known to be finished, whatever can be learned of the marks.
 */
export function progressOf<P extends string>(
  runbook: Runbook<P>,
  phase: P | "idle",
  { done, begun }: Marks,
  isOver = false,
): Progress<P> {
  const all = Object.keys(runbook) as P[];
  const end = all.at(-1)!;
  // Old may be switched off by then, and its marks with it.
  const last = runbook[end].at(-1);
  if (isOver || (last && done(last.name))) return { reached: end };
  let reached: P | "idle" = "idle";
  for (const [index, next] of all.entries()) {
    const steps = runbook[next];
    const number = steps.filter(({ name }) => done(name)).length;
    const isReached = steps.length > 0 ? number === steps.length : reachedIn(runbook, phase).includes(next);
    if (isReached) {
      reached = next;
      continue;
    }
    const marked = all.slice(index).find((one) => runbook[one].some(({ name }) => done(name) || begun(name)));
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
export function goesAhead<P extends string>(
  runbook: Runbook<P>,
  { move, phase }: { move: string; phase: P | "idle" },
  inspection: Inspection,
): boolean {
  const { reached } = progressOf(runbook, phase, marksOf(move, inspection));
  return reachedIn(runbook, phase).length > reachedIn(runbook, reached).length;
}

/** `app`, or `prepared, and 3 of 8 steps of app`. */
export function describeProgress({ reached, partial }: Progress<string>): string {
  return partial ? `${reached}, and ${partial.done} of ${partial.steps} steps of ${partial.phase}` : reached;
}
