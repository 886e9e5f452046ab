/** A release on a copy of the machine, switched by the Elastic IP: what happens, in which order. */
import type { Instance } from "@pulumi/aws/ec2/instance.js";
import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { Temporal } from "temporal-polyfill";
import { giveConsent } from "../components/consent/consent.ts";
import { outsideOfWindow, recordDecision } from "../components/decision/decision.ts";
import { leadElasticIp } from "../components/elasticIp/elasticIp.ts";
import {
  checkHealth,
  finishFork,
  forkSteps,
  type ForkRun,
  guardWrites,
  installGuard,
  keepHandover,
  leadInventory,
  makeCopy,
  makeReadOnly,
  makeWritable,
  release,
  sharedForkSettings,
  startJobsOnCopy,
  stopJobsOnOld,
} from "../components/fork/steps.ts";
import type { Inspection } from "../components/facts/inspect.ts";
import { refuse } from "../components/guards/guards.ts";
import { resultOf } from "../components/result.ts";
import type { Server } from "../components/server.ts";
import { placeStep, type StepContext } from "../components/step.ts";
import { checkWindow, type Plan } from "../components/window/guard.ts";
import { readKey } from "./access.ts";
import { type ForkConfig, forkPhases } from "./config.ts";
import {
  copyServer,
  type ForkAws,
  forkFindings,
  inspectFork,
  inspectionOf,
  lookAtFork,
  reachedOf,
  writtenOnCopy,
} from "./forkLook.ts";
import { forkOutputs, type ForkOutputs, type ForkReached, forkRollback, forkSheet } from "./forkOutputs.ts";
import { halfUndone } from "./halfUndone.ts";
import { MoveNotices, type NoticeMove } from "./notices.ts";
import { doneSteps, planIn } from "./plan.ts";
import { placeMark, placeRunbook, type Runbook } from "./runbook.ts";
import { sheetOf } from "./runSheet.ts";

/**
 * The runbook of a fork.
 * @param run what this run makes at AWS; nothing where only the steps' names are wanted.
 */
export function vmForkRunbook(settings: ForkConfig, run?: ForkRun): Runbook<ForkReached> {
  const { fork, aws } = settings;
  const { readOnly } = fork;
  return {
    prepared: [
      ...(readOnly ? [makeReadOnly(settings, readOnly)] : []),
      installGuard(settings, readOnly ? ["read-only"] : []),
      ...makeCopy(settings, run),
      ...(fork.inventory.length > 0 ? [leadInventory(settings, run)] : []),
    ],
    app: [
      ...(readOnly ? [makeWritable(settings, readOnly)] : []),
      ...(fork.release.length > 0 ? [release(settings, readOnly ? ["writable"] : [])] : []),
      checkHealth(settings, fork.release.length > 0 ? ["release"] : readOnly ? ["writable"] : []),
    ],
    address: [
      stopJobsOnOld(settings),
      keepHandover(settings),
      leadElasticIp(
        settings,
        { ...aws, new: () => run!.copy().id },
        {
          after: [forkSteps.handover],
          hold: run?.access && { access: run.access, drainSeconds: settings.holdBudget },
        },
      ),
      startJobsOnCopy(settings),
      guardWrites(settings),
    ],
    finished: finishFork(settings, run),
  };
}

/** What is still to be done up to the phase; users notice where the site is read-only, and where the address goes over. */
export function forkPlan(
  runbook: Runbook<ForkReached>,
  { move, phase, fork }: Pick<ForkConfig, "move" | "phase" | "fork">,
  inspection: Inspection,
  rehearsal: boolean,
): Plan {
  const disruptive: readonly ForkReached[] = fork.readOnly ? ["prepared", "address"] : ["address"];
  return planIn(runbook, { move, phase, disruptive }, inspection, rehearsal);
}

/** What a fork meets; in tests something else stands in for the servers. */
export interface ForkWorld {
  inspect: typeof inspectFork;
  key: typeof readKey;
  place: typeof placeStep;
  /** Whether its servers can hold users' connections. */
  holds: boolean;
}

const real: ForkWorld = { inspect: inspectFork, key: readKey, place: placeStep, holds: true };

/** Looks, checks, prints the run sheet, places the steps; returns the stack's outputs. */
export async function vmFork(settings: ForkConfig, world: ForkWorld = real): Promise<ForkOutputs> {
  const { move, phase, old, bastion } = settings;
  const rehearsal = pulumi.runtime.isDryRun();
  const opening = { bastion, ...(await world.key(settings)) };
  const aws = await lookAtFork(settings);
  if ("rule" in aws) throw new pulumi.RunError(refuse([aws], "fork").join("\n"));
  const server = copyServer(settings, aws.copies[0]);
  const told = await world.inspect(settings, reachedOf(settings, aws, server, opening));
  const access = () => ({ ...opening, old, new: run.server() ?? server ?? old });
  const run = runOf(settings, aws, world.holds ? access : undefined);
  const runbook = vmForkRunbook(settings, run);
  const inspection = inspectionOf(settings, runbook, aws, told);
  const plan = forkPlan(runbook, settings, inspection, rehearsal);
  const warnings = refuse(
    [
      ...checkWindow(settings.window, plan, Temporal.Now.instant()),
      ...forkFindings(settings, aws, told, server),
      ...halfUndone(runbook, settings, inspection),
    ],
    "fork",
  );
  const sheet = sheetOf(runbook, settings, inspection, forkSheet(settings, writtenOnCopy(told)));
  for (const warning of warnings) await pulumi.log.warn(warning);
  await pulumi.log.info(sheet);

  /** Where servers are, as far as that is known when a step is placed: those on the copy come after the copy. */
  const context = (): StepContext => ({
    move,
    access: access(),
    settings: sharedForkSettings(settings),
    retain: phase === "finished",
  });
  const place: typeof placeStep = (_context, step, ...rest) => {
    const here = context();
    // Nothing on a copy that is given up is undone.
    const retain = here.retain || (step.side === "new" && settings.fork.abandon !== undefined);
    const resource = world.place({ ...here, retain }, step, ...rest);
    if (step.name === forkSteps.guard) run.hasKey(resource.stdout);
    return resource;
  };
  const notices = new MoveNotices(noticeFork(settings), doneSteps(move, inspection));
  const placed = placeRunbook(
    runbook,
    phase,
    context(),
    {
      onError: notices.onError,
      begins: (...at) => notices.begins(...at),
      reached: (...at) => notices.reached(...at),
    },
    place,
  );
  const decisions = placeDecisions(settings, context(), world, run.isMade() || server !== undefined);
  placeMark(move, phase, [...placed.values(), ...notices.placed, ...decisions]);
  return forkOutputs(settings, placed, run.isMade() ? run.copy() : undefined, sheet);
}

/** What notices tell of a fork. */
function noticeFork({ move, phase, aws, notices }: ForkConfig): NoticeMove<ForkReached> {
  return {
    ...{ move, phase, phases: forkPhases, notices, rollback: forkRollback },
    way: `${aws.old} to its copy`,
  };
}

/**
 * What the operator has decided is no part of a phase: it has to be on the servers before an undo asks for it, and creates come before
 * deletes. Where the copy goes in this run, it takes the consent along.
 */
function placeDecisions(
  settings: ForkConfig,
  context: StepContext,
  { place }: ForkWorld,
  isThere: boolean,
): remote.Command[] {
  const { acceptLostWrites, window, phase } = settings;
  return [
    ...(acceptLostWrites !== undefined && isThere
      ? [
          place(
            { ...context, retain: context.retain || phase === "idle" },
            giveConsent(settings, acceptLostWrites),
            0,
            [],
            new Map(),
          ),
        ]
      : []),
    ...(window?.override && phase !== "idle"
      ? [
          place(
            context,
            { ...recordDecision(settings, outsideOfWindow, window.override), side: "old" },
            0,
            [],
            new Map(),
          ),
        ]
      : []),
  ];
}

/** What this run makes at AWS, and what is known of it as it is placed. */
function runOf(
  settings: ForkConfig,
  { natives, original, volumes, copies, image }: ForkAws,
  access: ForkRun["access"],
) {
  let copy: Instance | undefined;
  let hostKey: pulumi.Output<string> | undefined;
  const address = (made: Instance) => (settings.fork.reach === "public" ? made.publicIp : made.privateIp);
  return {
    ...{ natives, original, volumes, access },
    found: { instance: copies[0]?.InstanceId, image },
    made: (made: Instance) => {
      copy = made;
    },
    copy: () => ({ id: copy!.id, address: address(copy!) }),
    hostKey: () => hostKey!,
    hasKey: (stdout: pulumi.Output<string>) => {
      hostKey = stdout.apply((printed) => resultOf(printed, "forkHostKey") ?? "");
    },
    isMade: () => copy !== undefined,
    /** How the copy is reached, once it is placed. */
    server: (): Server<pulumi.Input<string>> | undefined =>
      copy && { ...settings.old, address: address(copy), hostKey: hostKey! },
  };
}
