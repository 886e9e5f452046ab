/** What is told of how any runbook stands: how far it is, its steps, journals, results, window. Pure. */
import { Temporal } from "temporal-polyfill";
import { type Facts, type Inspection, rows, Unreachable } from "../../components/facts/inspect.ts";
import { type Side, sides } from "../../components/server.ts";
import { nextOpening, openingAt, type Opening, type WindowSettings } from "../../components/window/window.ts";
import { type Marks, marksOf, type Progress, progressOf } from "../../stacks/progress.ts";
import type { ReachedPhase, Runbook } from "../../stacks/runbook.ts";

/** One step of the runbook. Times are ISO 8601, UTC; null where there is none. */
export interface StepStatus<P extends string = ReachedPhase> {
  phase: P;
  step: string;
  side: Side;
  title: string;
  state: "open" | "at work" | "half done" | "done";
  begunAt: string | null;
  doneAt: string | null;
  /** How long the last do took, by the journal. */
  seconds: number | null;
  /** What it has said last, while it is at work. */
  progress: string | null;
}

/** One line of a server's journal. */
export interface JournalLine {
  at: string;
  side: Side;
  step: string;
  verb: string;
  ended: string;
  seconds: number | null;
}

/** What the status of every runbook has; its keys are stable. */
export interface Standing<P extends string = ReachedPhase> {
  move: string;
  at: string;
  phase: { settings: P | "idle"; servers: Progress<P> };
  /** The way back, as it is now on the servers. */
  /** `losesWrites` is null where that could not be found out. */
  rollback: { address: string; command: string; losesWrites: boolean | null };
  steps: StepStatus<P>[];
  results: Record<string, number>;
  window: { open: boolean; from: string | null; to: string | null; override: string } | null;
  journal: JournalLine[];
}

/** What is known of a runbook on its servers. */
export interface Stood<P extends string = ReachedPhase> {
  settings: { move: string; phase: P | "idle"; window?: WindowSettings | undefined };
  runbook: Runbook<P>;
  inspection: Inspection;
  now: Temporal.Instant;
  /** It is finished, whatever marks are known. */
  isOver?: boolean;
}

/** Journal lines in the report. */
const journalLines = 200;

/** How it stands, but for the way back, which each runbook has its own rules for. */
export function standingOf<P extends string>({
  settings,
  runbook,
  inspection,
  now,
  isOver,
}: Stood<P>): Omit<Standing<P>, "rollback"> {
  const marks = marksOf(settings.move, inspection);
  const journal = journalOf(inspection);
  return {
    move: settings.move,
    at: now.toString({ smallestUnit: "second" }),
    phase: { settings: settings.phase, servers: progressOf(runbook, settings.phase, marks, isOver) },
    steps: stepsOf(runbook, inspection, marks, journal),
    results: resultsOf(inspection),
    window: settings.window ? windowOf(settings.window, now) : null,
    journal: journal.slice(-journalLines),
  };
}

/** A server's facts; none where it could not be asked. */
export function factsOf(facts: Facts | Unreachable): Facts {
  return facts instanceof Unreachable ? new Map<string, string>() : facts;
}

function stepsOf<P extends string>(
  runbook: Runbook<P>,
  inspection: Inspection,
  marks: Marks,
  journal: readonly JournalLine[],
): StepStatus<P>[] {
  const times = new Map(
    sides.flatMap((side) =>
      rows(factsOf(inspection[side]), "steps").map(([step = "", begun = "", done = ""]) => [
        step,
        { begun, done },
      ]),
    ),
  );
  const working = new Map(
    sides.flatMap((side) =>
      rows(factsOf(inspection[side]), "working").map(([step = "", , line = ""]) => [step, line]),
    ),
  );
  return (Object.keys(runbook) as P[]).flatMap((phase) =>
    runbook[phase].map(({ name, side, title }): StepStatus<P> => {
      const { begun = "", done = "" } = times.get(name) ?? {};
      const isDone = done !== "" || marks.done(name);
      const last = journal.findLast(
        ({ step, verb, ended }) => step === name && verb === "do" && ended === "done",
      );
      const words = working.get(name);
      return {
        phase,
        step: name,
        side,
        title,
        state: words !== undefined ? "at work" : isDone ? "done" : begun ? "half done" : "open",
        begunAt: isoOf(begun),
        doneAt: isoOf(done),
        seconds: done ? (last?.seconds ?? null) : null,
        progress: words || null,
      };
    }),
  );
}

/** Seconds since the epoch as a date. */
export function isoOf(seconds: string | undefined): string | null {
  return seconds ? new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z") : null;
}

/** The lines of both journals, in the order of time; a line that something else has written is left out. */
function journalOf(inspection: Inspection): JournalLine[] {
  return sides
    .flatMap((side) =>
      rows(factsOf(inspection[side]), "journal").map(
        ([at = "", step = "", verb = "", ended = "", seconds]): JournalLine => ({
          at,
          side,
          step,
          verb,
          ended,
          seconds: seconds?.endsWith(" s") ? Number(seconds.slice(0, -2)) : null,
        }),
      ),
    )
    .filter(({ at }) => /^\d{4}-/.test(at))
    .toSorted((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
}

/** Measured results that are numbers, by name; of one that several steps have, the sum. */
function resultsOf(inspection: Inspection): Record<string, number> {
  const results: Record<string, number> = {};
  for (const side of sides)
    for (const [, line = ""] of rows(factsOf(inspection[side]), "results")) {
      const [, name, value] = /^(\w+)=(\d+)$/.exec(line) ?? [];
      if (name !== undefined) results[name] = (results[name] ?? 0) + Number(value);
    }
  return results;
}

function windowOf(window: WindowSettings, now: Temporal.Instant): Standing["window"] {
  const open = openingAt(window, now);
  const opening: Opening | undefined = open ?? nextOpening(window, now);
  const iso = (edge: "from" | "to") =>
    opening?.[edge].toInstant().toString({ smallestUnit: "second" }) ?? null;
  return { open: open !== undefined, from: iso("from"), to: iso("to"), override: window.override };
}
