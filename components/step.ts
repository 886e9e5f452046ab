/** A step: one resource with a do, an undo and a verify. The only place that creates a remote.Command. */
import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Facts } from "./facts/inspect.ts";
import { resultOf } from "./result.ts";
import { launchCommand, renderScript, type Setting } from "./script.ts";
import { type Access, connectionTo, type Side } from "./server.ts";

/** What a step is, before it is placed in a runbook. */
export interface Step {
  /** Identity in the state and on the servers; never renamed once released. */
  name: string;
  side: Side;
  /** What it does, for the run sheet: `copy code and files`. */
  title: string;
  /** What its undo does, for the run sheet. */
  back: string;
  /** Folder with do.sh, undo.sh and verify.sh. */
  folder: URL;
  /** Files with functions that the three share. */
  shared?: readonly URL[];
  settings?: Record<string, Setting>;
  /** Results of other steps (by step and name of the result) that this step's script needs as settings. */
  results?: Record<string, { step: string; result: string }>;
  /** Steps of the same phase that come first. */
  after?: readonly string[];
  /** The longest it may take, in seconds. */
  deadlineSeconds: number;
  /** What becomes of a failed do: put back at once, or kept for the next run to take over. */
  onFailure?: "undo" | "keep";
  /** The step that takes away what this one's verify wants: from its begin on, nobody verifies this one any more. */
  heldUntil?: string;
  /** What an operator does where its verify fails later on. */
  remedy?: string;
  /** Expected seconds, from what was measured on the servers. */
  expectedSeconds?: (old: Facts) => number;
  /** Places resources of other providers that come just ahead of this step, after all that it comes after. */
  ahead?: (dependsOn: pulumi.Resource[], hooks?: pulumi.ResourceHookBinding) => pulumi.Resource[];
}

/** What all steps of a move share. */
export interface StepContext {
  move: string;
  access: Access<pulumi.Input<string>>;
  /** Settings that every script may use. */
  settings: Record<string, Setting>;
  /** Steps stay on the servers when they leave the state: the move is finished. */
  retain: boolean;
}

/** The step's whole script; pure but for reading script files. */
export function stepScript(
  context: StepContext,
  step: Step,
  phaseNumber: number,
  results: Record<string, string> = {},
): string {
  return renderScript(
    { move: context.move, step: step.name },
    {
      folder: step.folder,
      shared: step.shared ?? [],
      settings: {
        MOVE: context.move,
        STEP: step.name,
        PHASE: phaseNumber,
        SIDE: step.side,
        DEADLINE: step.deadlineSeconds,
        ON_FAILURE: step.onFailure ?? "undo",
        ...context.settings,
        ...step.settings,
        ...results,
      },
    },
  );
}

/**
 * Creates a step's resource. `update` only records the new script and connection and prints the kept results again: a step
 * that is done is not done again because changeover or a setting changed.
 */
export function placeStep(
  context: StepContext,
  step: Step,
  phaseNumber: number,
  dependsOn: readonly pulumi.Resource[],
  byName: ReadonlyMap<string, remote.Command>,
  hooks?: pulumi.ResourceHookBinding,
): remote.Command {
  const { user } = context.access[step.side];
  return new remote.Command(
    step.name,
    {
      connection: connectionTo(step.side, context.access),
      create: launchCommand(user, "do", step.deadlineSeconds),
      update: launchCommand(user, "results", 60),
      delete: launchCommand(user, "undo", step.deadlineSeconds),
      stdin: pulumi.secret(
        resolveResults(step, byName).apply((results) => stepScript(context, step, phaseNumber, results)),
      ),
      addPreviousOutputInEnv: false,
      logging: "stdoutAndStderr",
    },
    { dependsOn: [...dependsOn], retainOnDelete: context.retain, ...(hooks ? { hooks } : {}) },
  );
}

/** The results of other steps that a step's script needs. */
function resolveResults(
  step: Step,
  byName: ReadonlyMap<string, remote.Command>,
): pulumi.Output<Record<string, string>> {
  const wanted = Object.entries(step.results ?? {}).map(([setting, { step: from, result }]) => {
    const source = byName.get(from);
    if (!source)
      throw new Error(
        `step ${step.name}: needs the result ${result} of step ${from}, which comes later or is not there`,
      );
    return source.stdout.apply((stdout) => {
      const value = resultOf(stdout, result);
      if (value === undefined)
        throw new Error(
          `step ${step.name}: step ${from} gave no result ${result}; its output was ${JSON.stringify(stdout)}`,
        );
      return [setting, value] as const;
    });
  });
  return pulumi.all(wanted).apply((pairs) => Object.fromEntries(pairs));
}
