/** A runbook: phases in order, steps in each. Refuses what breaks the rules, and places the steps of the phases that are reached. */
import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { placeStep, type Step, type StepContext } from "../components/step.ts";
import { type Phase, phases } from "./config.ts";

/** A phase that has steps. */
export type ReachedPhase = Exclude<Phase, "idle">;

/** The steps of each phase but idle, in the order of the phases. */
export type Runbook<P extends string = ReachedPhase> = Readonly<Record<P, readonly Step[]>>;

/** What stands around the steps of a phase. */
export interface AroundPhase<P extends string = ReachedPhase> {
  onError: pulumi.ErrorHook;
  begins: (phase: P, steps: readonly Step[], after: readonly pulumi.Resource[]) => pulumi.Resource[];
  reached: (
    phase: P,
    steps: readonly Step[],
    placed: ReadonlyMap<string, remote.Command>,
  ) => pulumi.Resource[];
}

/** The phases of a runbook up to one, idle left out. */
export function reachedIn<P extends string>(runbook: Runbook<P>, phase: P | "idle"): P[] {
  const all = Object.keys(runbook) as P[];
  return phase === "idle" ? [] : all.slice(0, all.indexOf(phase) + 1);
}

/** A phase's number: idle is 0. */
export function phaseNumber(phase: Phase): number {
  return phases.indexOf(phase);
}

/** The phases that are reached, idle left out. */
export function reachedPhases(phase: Phase): ReachedPhase[] {
  return phases.slice(1, phaseNumber(phase) + 1) as ReachedPhase[];
}

/** Everything that is wrong with a runbook, empty where nothing is. */
export function runbookProblems<P extends string>(runbook: Runbook<P>): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [phase, steps] of Object.entries<readonly Step[]>(runbook)) {
    const earlier = new Set<string>();
    for (const step of steps) {
      if (seen.has(step.name)) problems.push(`${phase}: two steps are named ${step.name}`);
      if (!/^[a-z][a-z0-9-]*$/.test(step.name))
        problems.push(`${phase}: ${step.name}: a step's name has lower case letters, digits and dashes`);
      for (const before of step.after ?? [])
        if (!earlier.has(before))
          problems.push(
            `${phase}: ${step.name}: comes after ${before}, which is not an earlier step of this phase`,
          );
      for (const { step: source } of Object.values(step.results ?? {}))
        if (!seen.has(source))
          problems.push(`${phase}: ${step.name}: needs a result of ${source}, which is not an earlier step`);
      seen.add(step.name);
      earlier.add(step.name);
    }
  }
  return problems;
}

/**
 * Creates the resources of every phase up to `phase`: a whole phase comes after the whole phase before it.
 * @param place creates the resource of one step.
 * @returns the steps' resources by name, in order.
 * @throws Error naming everything that breaks a rule.
 */
export function placeRunbook<P extends string>(
  runbook: Runbook<P>,
  phase: P | "idle",
  context: StepContext,
  around?: AroundPhase<P>,
  place = placeStep,
): Map<string, remote.Command> {
  const problems = runbookProblems(runbook);
  if (problems.length > 0) throw new Error(`the runbook breaks its rules:\n${problems.join("\n")}`);
  const placed = new Map<string, remote.Command>();
  const hooks = around ? { onError: [around.onError] } : undefined;
  let before: pulumi.Resource[] = [];
  for (const [index, reached] of reachedIn(runbook, phase).entries()) {
    const begun = around?.begins(reached, runbook[reached], before) ?? [];
    const steps = runbook[reached].map((step) => {
      const needed = [
        ...(step.after ?? []),
        ...Object.values(step.results ?? {}).map((result) => result.step),
      ];
      const earlier = [...before, ...begun, ...needed.map((name) => placed.get(name)!)];
      const ahead = step.ahead?.(earlier, hooks) ?? [];
      const resource = place(context, step, index + 1, [...earlier, ...ahead], placed, hooks);
      placed.set(step.name, resource);
      return resource;
    });
    if (steps.length > 0) before = [...steps, ...(around?.reached(reached, runbook[reached], placed) ?? [])];
  }
  return placed;
}

/**
 * The mark of a move under way: the last thing in the state, so that `destroy` meets it first and is refused before any undo
 * runs. At `idle` and `finished` there is nothing to protect.
 */
export function placeMark(move: string, phase: string, steps: readonly pulumi.Resource[]): void {
  const underWay = phase !== "idle" && phase !== "finished";
  new pulumi.Stash("under-way", { input: { move, phase } }, { dependsOn: [...steps], protect: underWay });
}
