/** How a move stands, out of what the servers and the name servers have told. Pure. */
import { Temporal } from "temporal-polyfill";
import { type Facts, type Inspection, rows, Unreachable } from "../../components/facts/inspect.ts";
import { type Following, followingNow, wayBackIsCut } from "../../components/guards/follower.ts";
import { type Side, sides } from "../../components/server.ts";
import { nextOpening, openingAt, type Opening } from "../../components/window/window.ts";
import type { MoveConfig, Phase } from "../../stacks/config.ts";
import { goBackTo, rollback } from "../../stacks/outputs.ts";
import { type Marks, marksOf, type Progress, progressOf } from "../../stacks/progress.ts";
import type { ReachedPhase, Runbook } from "../../stacks/runbook.ts";
import type { NameAnswer } from "../names.ts";

/** One step of the runbook. Times are ISO 8601, UTC; null where there is none. */
export interface StepStatus {
  phase: ReachedPhase;
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

/** The whole status; its keys are stable. */
export interface StatusReport {
  move: string;
  at: string;
  phase: { settings: Phase; servers: Progress };
  servers: Record<Side, { address: string; reachable: boolean; error: string | null }>;
  /** Who serves users, and whether they come through old's address or by the names; `unknown` where old cannot be asked. */
  users: { side: Side | "unknown"; through: "names" | "old's address" | "unknown"; maintenancePage: boolean };
  /** On which side users' rows are written. */
  database: { side: Side | "unknown"; error: Record<Side, string | null> };
  /** The way back, as it is now on the servers. */
  rollback: { address: string; command: string; losesWrites: boolean };
  steps: StepStatus[];
  /** How replication gets on; null where nothing follows. */
  replication: Following | null;
  results: Record<string, number>;
  names: NameAnswer[];
  /** From when on, by the TTLs, the phases `dns` and `finished` may begin; null where that is not known (yet), or names are left alone. */
  earliest: { dns: string | null; finished: string | null };
  window: { open: boolean; from: string | null; to: string | null; override: string } | null;
  journal: JournalLine[];
}

/** Journal lines in the report. */
const journalLines = 200;

/** Makes the report. */
export function statusOf(
  settings: MoveConfig,
  runbook: Runbook,
  inspection: Inspection,
  names: readonly NameAnswer[],
  now: Temporal.Instant,
): StatusReport {
  const facts = (side: Side) => factsOf(inspection[side]);
  const marks = marksOf(settings.move, inspection);
  const progress = progressOf(runbook, settings.phase, marks);
  const over = progress.reached === "finished";
  const journal = journalOf(inspection);
  const look = { settings, old: facts("old"), new: facts("new"), done: marks.done };
  const reachable = (side: Side) => !(inspection[side] instanceof Unreachable);
  return {
    move: settings.move,
    at: now.toString({ smallestUnit: "second" }),
    phase: { settings: settings.phase, servers: progress },
    servers: { old: serverOf(settings, inspection, "old"), new: serverOf(settings, inspection, "new") },
    users: usersOf(facts("old"), facts("new"), over, names),
    database: {
      side: databaseSide(settings, marks, facts("new"), reachable("new")),
      error: {
        old: facts("old").get("database.error") || null,
        new: facts("new").get("database.error") || null,
      },
    },
    rollback: wayBack(settings, progress, marks, wayBackIsCut(look) && reachable("old") && reachable("new")),
    steps: stepsOf(runbook, inspection, journal),
    replication: over ? null : (followingNow(look) ?? null),
    results: resultsOf(inspection),
    names: [...names],
    earliest: { dns: moment(facts("new"), "dns-ttl"), finished: moment(facts("new"), "dns-lead") },
    window: settings.window ? windowOf(settings.window, now) : null,
    journal: journal.slice(-journalLines),
  };
}

function factsOf(facts: Facts | Unreachable): Facts {
  return facts instanceof Unreachable ? new Map<string, string>() : facts;
}

function serverOf(settings: MoveConfig, inspection: Inspection, side: Side) {
  const facts = inspection[side];
  const error = facts instanceof Unreachable ? facts.reason : null;
  return { address: settings[side].address, reachable: error === null, error };
}

function usersOf(
  old: Facts,
  fresh: Facts,
  over: boolean,
  names: readonly NameAnswer[],
): StatusReport["users"] {
  const passing = old.get("passing");
  const known = names.filter(({ error }) => error === undefined);
  const byName = known.length > 0 && known.every(({ leads }) => leads === "new");
  const side = over || passing === "yes" || byName ? "new" : passing === "no" ? "old" : "unknown";
  return {
    side,
    through:
      side === "unknown"
        ? "unknown"
        : byName || (side === "old" && known.length > 0)
          ? "names"
          : "old's address",
    maintenancePage: fresh.get("maintenance") === "yes",
  };
}

function databaseSide(
  { database }: Pick<MoveConfig, "database">,
  { done }: Marks,
  fresh: Facts,
  reachable: boolean,
): Side | "unknown" {
  if (!reachable) return "unknown";
  if (database.strategy === "dump") return done("database-switch") ? "new" : "old";
  return fresh.get("users.database") === "new" ? "new" : "old";
}

/** The way back from what is on the servers: where a phase is half done, its undo alone. */
function wayBack(
  settings: MoveConfig,
  { reached, partial }: Progress,
  { done, begun }: Marks,
  isCut: boolean,
): StatusReport["rollback"] {
  if (begun("finish-old") || reached === "finished") return { address: "", command: "", losesWrites: false };
  const onNew = done("database-switch") || done("database-switchover");
  return {
    address: settings.old.address,
    command: partial ? goBackTo(reached) : rollback({ ...settings, phase: reached }).rollbackCommand,
    losesWrites: onNew && (settings.database.strategy === "dump" || isCut),
  };
}

function stepsOf(runbook: Runbook, inspection: Inspection, journal: readonly JournalLine[]): StepStatus[] {
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
  return Object.entries(runbook).flatMap(([phase, steps]) =>
    steps.map(({ name, side, title }): StepStatus => {
      const { begun = "", done = "" } = times.get(name) ?? {};
      const last = journal.findLast(
        ({ step, verb, ended }) => step === name && verb === "do" && ended === "done",
      );
      const words = working.get(name);
      return {
        phase: phase as ReachedPhase,
        step: name,
        side,
        title,
        state: words !== undefined ? "at work" : done ? "done" : begun ? "half done" : "open",
        begunAt: isoOf(begun),
        doneAt: isoOf(done),
        seconds: done ? (last?.seconds ?? null) : null,
        progress: words || null,
      };
    }),
  );
}

/** Seconds since the epoch as a date. */
function isoOf(seconds: string | undefined): string | null {
  return seconds ? new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z") : null;
}

function moment(facts: Facts, step: string): string | null {
  return isoOf(facts.get(`until.${step}`));
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

function windowOf(window: NonNullable<MoveConfig["window"]>, now: Temporal.Instant): StatusReport["window"] {
  const open = openingAt(window, now);
  const opening: Opening | undefined = open ?? nextOpening(window, now);
  const iso = (edge: "from" | "to") =>
    opening?.[edge].toInstant().toString({ smallestUnit: "second" }) ?? null;
  return { open: open !== undefined, from: iso("from"), to: iso("to"), override: window.override };
}
