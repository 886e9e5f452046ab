/** What `changeover check` has found, out of what the servers have told. Pure. */
import { type Inspection, isMute, lines, Unreachable } from "../../components/facts/inspect.ts";
import { parseVerified, type Verified } from "../../components/facts/verify.ts";
import type { Finding } from "../../components/guards/guards.ts";
import { type Side, sides } from "../../components/server.ts";
import type { Step } from "../../components/step.ts";
import { goBackTo } from "../../stacks/outputs.ts";
import { describeProgress, type Marks, marksOf, type Progress, progressOf } from "../../stacks/progress.ts";
import { reachedIn, type ReachedPhase, type Runbook } from "../../stacks/runbook.ts";

/** One thing that is wrong, that should be known, or that could not be found out. */
export interface Problem {
  severity: "error" | "warning" | "unknown";
  /** What has found it. */
  by: "guard" | "verify" | "mark" | "names" | "window";
  place: string;
  rule: string;
  value: string;
  remedy: string;
}

/** How one step that is done looks now. */
export interface StepCheck<P extends string = ReachedPhase> {
  phase: P;
  step: string;
  side: Side;
  /** `superseded`: a later step has taken away what its verify wants; `none`: its script is no more on the server. */
  outcome: Verified["outcome"] | "superseded";
  seconds: number;
  said: string;
}

/** The whole report; its keys are stable. */
export interface CheckReport<P extends string = ReachedPhase> {
  move: string;
  /** The phase of the settings. */
  phase: P | "idle";
  /** How far the servers are, as far as they have told. */
  servers: Progress<P>;
  /** Whether each has told. */
  complete: boolean;
  /** Whether nothing is wrong, and all could be found out. */
  ok: boolean;
  /** 0: fine; 1: something is wrong; 2: could not find out. */
  exitCode: 0 | 1 | 2;
  seconds: number;
  problems: Problem[];
  steps: StepCheck<P>[];
}

/** All that was found. */
export interface Found<P extends string = ReachedPhase> {
  settings: { move: string; phase: P | "idle" };
  runbook: Runbook<P>;
  /** It is finished, whatever marks are known, and there is no way back. */
  isOver?: boolean;
  inspection: Inspection;
  verification: Inspection;
  guards: readonly Finding[];
  names: readonly Finding[];
  window: readonly Finding[];
}

/** Makes the report. */
export function reportOf<P extends string>(found: Found<P>): Omit<CheckReport<P>, "seconds"> {
  const { settings, runbook, inspection, verification, isOver } = found;
  const marks = marksOf(settings.move, inspection);
  const progress = progressOf(runbook, settings.phase, marks, isOver);
  const working = workingSteps(verification);
  const steps = stepChecks(runbook, verification, marks, working);
  const cannot = isMute(inspection);
  const problems: Problem[] = [
    ...found.guards.map((finding) => problemOf(finding, "guard")),
    ...found.names.map((finding) => problemOf(finding, "names")),
    ...found.window.map((finding) => problemOf(finding, "window")),
    ...(cannot ? [] : markProblems(found, marks, progress, working)),
    ...steps.flatMap((step) => verifyProblems(step, found)),
    ...unverified(found),
  ];
  const severities = problems.map(({ severity }) => severity);
  const exitCode = severities.includes("error") ? 1 : severities.includes("unknown") ? 2 : 0;
  return {
    move: settings.move,
    phase: settings.phase,
    servers: progress,
    complete: !cannot,
    ok: exitCode === 0,
    exitCode,
    problems,
    steps,
  };
}

function workingSteps(verification: Inspection): ReadonlySet<string> {
  return new Set(
    sides.flatMap((side) => {
      const facts = verification[side];
      return facts instanceof Unreachable ? [] : lines(facts, "working");
    }),
  );
}

function stepNamed(runbook: Runbook<string>, name: string): Step {
  return Object.values(runbook)
    .flat()
    .find((step) => step.name === name)!;
}

/** Every step that is done, in the runbook's order; one at work is not looked at. */
function stepChecks<P extends string>(
  runbook: Runbook<P>,
  verification: Inspection,
  marks: Marks,
  working: ReadonlySet<string>,
): StepCheck<P>[] {
  const told = new Map(
    sides.flatMap((side) => {
      const facts = verification[side];
      return facts instanceof Unreachable ? [] : parseVerified(facts).map((one) => [one.step, one] as const);
    }),
  );
  return (Object.keys(runbook) as P[]).flatMap((phase) =>
    runbook[phase].flatMap(({ name, side, heldUntil }): StepCheck<P>[] => {
      const one = told.get(name);
      if (one === undefined || working.has(name)) return [];
      const superseded = heldUntil !== undefined && (marks.begun(heldUntil) || working.has(heldUntil));
      return [
        {
          phase,
          step: name,
          side,
          outcome: superseded ? "superseded" : one.outcome,
          seconds: one.seconds,
          said: superseded ? `${heldUntil} has changed it` : one.said,
        },
      ];
    }),
  );
}

function problemOf({ warning, unknown, ...finding }: Finding, by: Problem["by"]): Problem {
  return { severity: unknown ? "unknown" : warning ? "warning" : "error", by, ...finding };
}

/** A step that does not look as it should. */
function verifyProblems<P extends string>(
  { phase, step, side, outcome, said }: StepCheck<P>,
  { settings: { move }, runbook, isOver }: Found<P>,
): Problem[] {
  if (outcome !== "failed" && outcome !== "unknown") return [];
  const { remedy } = stepNamed(runbook, step);
  const before = reachedIn(runbook, phase).at(-2) ?? "idle";
  const again =
    phase === "finished" || isOver
      ? `see /var/log/changeover/${move}/${step}.log on ${side}`
      : `or undo ${phase} and do it again: ${goBackTo(before)}, then the same with ${phase}`;
  return [
    {
      severity: outcome === "failed" ? "error" : "unknown",
      by: "verify",
      place: `${side}, step ${step} (${phase})`,
      rule: "is as the step has left it",
      value: said,
      remedy: `${remedy ?? `mend that on ${side}`}; ${again}`,
    },
  ];
}

/** What the marks on the servers say against the settings. */
function markProblems<P extends string>(
  { settings, runbook, isOver }: Found<P>,
  { done, begun }: Marks,
  progress: Progress<P>,
  working: ReadonlySet<string>,
): Problem[] {
  const half = Object.values<readonly Step[]>(runbook)
    .flat()
    .filter(({ name }) => begun(name) && !done(name) && !working.has(name));
  const differs = !isOver && (progress.partial !== undefined || progress.reached !== settings.phase);
  const back = goBackTo(progress.reached);
  return [
    ...half.map(({ name, side }): Problem => ({
      severity: "error",
      by: "mark",
      place: `${side}, step ${name}`,
      rule: "is done as a whole or not at all",
      value: "it was begun, and has not ended well",
      remedy: `see /var/log/changeover/${settings.move}/${name}.log on ${side}, mend the cause and go on: pulumi up${isOver ? "" : `; or go back: ${back}`}`,
    })),
    ...(differs && working.size === 0
      ? [
          {
            severity: progress.partial ? "error" : "warning",
            by: "mark",
            place: "changeover:phase",
            rule: "says how far the servers are",
            value: `it is ${settings.phase}, and they are at ${describeProgress(progress)}`,
            remedy: `go on: pulumi up; or back: ${back}`,
          } as const,
        ]
      : []),
  ];
}

/** A server that has told its facts, but could not verify; where it has told none, the guards say so. */
function unverified({
  settings,
  inspection,
  verification,
}: Pick<Found<string>, "settings" | "inspection" | "verification">): Problem[] {
  return sides.flatMap((side): Problem[] => {
    const failed = verification[side];
    if (!(failed instanceof Unreachable) || inspection[side] instanceof Unreachable) return [];
    return [
      {
        severity: "unknown",
        by: "verify",
        place: side,
        rule: "verifies the steps that are done",
        value: failed.reason,
        remedy: `run this again; if it stays so, see what loads ${side} (move ${settings.move} itself is not touched)`,
      },
    ];
  });
}
