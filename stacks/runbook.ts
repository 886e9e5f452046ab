/** A runbook: phases in order, steps in each. Refuses what breaks the rules, and places the steps of the phases that are reached. */
import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { placeStep, type Step, type StepContext } from "../components/step.ts";
import { type Phase, phases } from "./config.ts";

/** A phase that has steps. */
export type ReachedPhase = Exclude<Phase, "idle">;

/** The steps of each phase. */
export type Runbook = Readonly<Record<ReachedPhase, readonly Step[]>>;

/** What stands around the steps of a phase. */
export interface AroundPhase {
  onError: pulumi.ErrorHook;
  begins: (
    phase: ReachedPhase,
    steps: readonly Step[],
    after: readonly pulumi.Resource[],
  ) => pulumi.Resource[];
  reached: (
    phase: ReachedPhase,
    steps: readonly Step[],
    placed: ReadonlyMap<string, remote.Command>,
  ) => pulumi.Resource[];
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
export function runbookProblems(runbook: Runbook): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [phase, steps] of Object.entries(runbook)) {
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
export function placeRunbook(
  runbook: Runbook,
  phase: Phase,
  context: StepContext,
  around?: AroundPhase,
  place = placeStep,
): Map<string, remote.Command> {
  const problems = runbookProblems(runbook);
  if (problems.length > 0) throw new Error(`the runbook breaks its rules:\n${problems.join("\n")}`);
  const placed = new Map<string, remote.Command>();
  const hooks = around ? { onError: [around.onError] } : undefined;
  let before: pulumi.Resource[] = [];
  for (const reached of reachedPhases(phase)) {
    const begun = around?.begins(reached, runbook[reached], before) ?? [];
    const steps = runbook[reached].map((step) => {
      const needed = [
        ...(step.after ?? []),
        ...Object.values(step.results ?? {}).map((result) => result.step),
      ];
      const earlier = [...before, ...begun, ...needed.map((name) => placed.get(name)!)];
      const ahead = step.ahead?.(earlier, hooks) ?? [];
      const resource = place(context, step, phaseNumber(reached), [...earlier, ...ahead], placed, hooks);
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
export function placeMark(move: string, phase: Phase, steps: readonly pulumi.Resource[]): void {
  const underWay = phase !== "idle" && phase !== "finished";
  new pulumi.Stash("under-way", { input: { move, phase } }, { dependsOn: [...steps], protect: underWay });
}
