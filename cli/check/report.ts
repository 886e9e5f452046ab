/** What `changeover check` has found, out of what the servers have told. Pure. */
import { type Inspection, lines, Unreachable } from "../../components/facts/inspect.ts";
import { parseVerified, type Verified } from "../../components/facts/verify.ts";
import type { Finding } from "../../components/guards/guards.ts";
import { type Side, sides } from "../../components/server.ts";
import type { Step } from "../../components/step.ts";
import { type MoveConfig, type Phase, phases } from "../../stacks/config.ts";
import { goBackTo } from "../../stacks/outputs.ts";
import { describeProgress, type Marks, marksOf, type Progress, progressOf } from "../../stacks/progress.ts";
import { phaseNumber, type ReachedPhase, type Runbook } from "../../stacks/runbook.ts";

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
export interface StepCheck {
  phase: ReachedPhase;
  step: string;
  side: Side;
  /** `superseded`: a later step has taken away what its verify wants; `none`: its script is no more on the server. */
  outcome: Verified["outcome"] | "superseded";
  seconds: number;
  said: string;
}

/** The whole report; its keys are stable. */
export interface CheckReport {
  move: string;
  /** The phase of the settings. */
  phase: Phase;
  /** How far the servers are. */
  servers: Progress;
  /** Whether nothing is wrong, and all could be found out. */
  ok: boolean;
  /** 0: fine; 1: something is wrong; 2: could not find out. */
  exitCode: 0 | 1 | 2;
  seconds: number;
  problems: Problem[];
  steps: StepCheck[];
}

/** All that was found. */
export interface Found {
  settings: Pick<MoveConfig, "move" | "phase">;
  runbook: Runbook;
  inspection: Inspection;
  verification: Inspection;
  guards: readonly Finding[];
  names: readonly Finding[];
  window: readonly Finding[];
}

/** Makes the report. */
export function reportOf(found: Found): Omit<CheckReport, "seconds"> {
  const { settings, runbook, inspection, verification } = found;
  const marks = marksOf(settings.move, inspection);
  const progress = progressOf(runbook, settings.phase, marks);
  const working = workingSteps(verification);
  const steps = stepChecks(runbook, verification, marks, working);
  const cannot = sides.some((side) => inspection[side] instanceof Unreachable);
  const problems: Problem[] = [
    ...found.guards.map((finding) => problemOf(finding, "guard", cannot)),
    ...found.names.map((finding) => problemOf(finding, "names")),
    ...found.window.map((finding) => problemOf(finding, "window")),
    ...(cannot ? [] : markProblems(found, marks, progress, working)),
    ...steps.flatMap((step) => verifyProblems(step, stepNamed(runbook, step.step), settings)),
    ...unverified(found),
  ];
  const severities = problems.map(({ severity }) => severity);
  const exitCode = severities.includes("error") ? 1 : severities.includes("unknown") ? 2 : 0;
  return {
    move: settings.move,
    phase: settings.phase,
    servers: progress,
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

function stepNamed(runbook: Runbook, name: string): Step {
  return Object.values(runbook)
    .flat()
    .find((step) => step.name === name)!;
}

/** Every step that is done, in the runbook's order; one at work is not looked at. */
function stepChecks(
  runbook: Runbook,
  verification: Inspection,
  marks: Marks,
  working: ReadonlySet<string>,
): StepCheck[] {
  const told = new Map(
    sides.flatMap((side) => {
      const facts = verification[side];
      return facts instanceof Unreachable ? [] : parseVerified(facts).map((one) => [one.step, one] as const);
    }),
  );
  return Object.entries(runbook).flatMap(([phase, steps]) =>
    steps.flatMap(({ name, side, heldUntil }): StepCheck[] => {
      const one = told.get(name);
      if (one === undefined || working.has(name)) return [];
      const superseded = heldUntil !== undefined && (marks.begun(heldUntil) || working.has(heldUntil));
      return [
        {
          phase: phase as ReachedPhase,
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

function problemOf({ warning, ...finding }: Finding, by: Problem["by"], unknown = false): Problem {
  return { severity: unknown ? "unknown" : warning ? "warning" : "error", by, ...finding };
}

/** A step that does not look as it should. */
function verifyProblems(
  { phase, step, side, outcome, said }: StepCheck,
  { remedy }: Step,
  { move }: Pick<MoveConfig, "move">,
): Problem[] {
  if (outcome !== "failed" && outcome !== "unknown") return [];
  const before = phases[phaseNumber(phase) - 1]!;
  const again =
    phase === "finished"
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
function markProblems(
  { settings, runbook }: Found,
  { done, begun }: Marks,
  progress: Progress,
  working: ReadonlySet<string>,
): Problem[] {
  const half = Object.values(runbook)
    .flat()
    .filter(({ name }) => begun(name) && !done(name) && !working.has(name));
  const differs = progress.partial !== undefined || progress.reached !== settings.phase;
  const back = goBackTo(progress.reached);
  return [
    ...half.map(({ name, side }): Problem => ({
      severity: "error",
      by: "mark",
      place: `${side}, step ${name}`,
      rule: "is done as a whole or not at all",
      value: "it was begun, and has not ended well",
      remedy: `see /var/log/changeover/${settings.move}/${name}.log on ${side}, mend the cause and go on: pulumi up; or go back: ${back}`,
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
function unverified({ settings, inspection, verification }: Found): Problem[] {
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
