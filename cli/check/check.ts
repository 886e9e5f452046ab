/** Everything that can be checked of a move: every guard, every verify of what is done, the names, the window. Reads only. */
import { Temporal } from "temporal-polyfill";
import { inspect, type Inspection, isMute } from "../../components/facts/inspect.ts";
import { inspectionSettings } from "../../components/facts/settings.ts";
import { verifySteps } from "../../components/facts/verify.ts";
import { findings } from "../../components/guards/guards.ts";
import type { Side } from "../../components/server.ts";
import type { Step } from "../../components/step.ts";
import { checkWindow } from "../../components/window/guard.ts";
import { readAccess } from "../../stacks/access.ts";
import type { ForkConfig, MoveConfig } from "../../stacks/config.ts";
import { lookAtAws } from "../../stacks/aws.ts";
import type { ForkReached } from "../../stacks/forkOutputs.ts";
import { lookAtNames } from "../../stacks/names.ts";
import { planOf } from "../../stacks/plan.ts";
import { goesAhead } from "../../stacks/progress.ts";
import type { Runbook } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { halfUndone } from "../../stacks/halfUndone.ts";
import { stragglerFindings } from "../../stacks/stragglers.ts";
import { forkPlan, vmForkRunbook } from "../../stacks/vmFork.ts";
import {
  findingsOf,
  type ForkAsking,
  type ForkSeen,
  inspectionSeen,
  isOver,
  realForkAsking,
  seeFork,
} from "../fork.ts";
import { type CheckReport, type Found, reportOf } from "./report.ts";

/** Checks a move or a fork as it is now. Throws for no server: what could not be found out is in the report. */
export async function check(settings: MoveConfig | ForkConfig): Promise<CheckReport<string>> {
  const began = Date.now();
  const report =
    settings.runbook === "vmFork" ? reportOf(await forkFound(settings)) : reportOf(await moveFound(settings));
  return { ...report, seconds: (Date.now() - began) / 1000 };
}

/** The names of a runbook's steps on a side. */
function stepsOn(runbook: Runbook<string>): (side: Side) => string[] {
  const steps: Step[] = Object.values(runbook).flat();
  return (side) => steps.filter((step) => step.side === side).map(({ name }) => name);
}

async function moveFound(settings: MoveConfig): Promise<Found> {
  const access = await readAccess(settings);
  const runbook = serverMoveRunbook(settings);
  const [inspection, verification] = await Promise.all([
    inspect(access, inspectionSettings(settings, false)),
    verifySteps(access, settings.move, stepsOn(runbook)),
  ]);
  return {
    settings,
    runbook,
    inspection,
    verification,
    ...(await moveFindings(settings, runbook, inspection)),
  };
}

/** What the guards find, as in preview. */
async function moveFindings(settings: MoveConfig, runbook: Runbook, inspection: Inspection) {
  const plan = planOf(runbook, settings, inspection, true);
  const [names, aws] = await Promise.all([
    lookAtNames(settings, inspection),
    lookAtAws(settings, inspection, () => goesAhead(runbook, settings, inspection)),
  ]);
  return {
    guards: [
      // Of a server that is mute that is all that they find.
      ...findings(settings, inspection).map((finding) => ({
        ...finding,
        unknown: finding.unknown ?? isMute(inspection),
      })),
      ...stragglerFindings(settings, inspection, true),
      ...halfUndone(runbook, settings, inspection),
    ],
    names: [...names.findings, ...aws.findings],
    window: checkWindow(settings.window, plan, Temporal.Now.instant()),
  };
}

/** What is found of a fork: by EC2, on old, and on its copy where there is one. */
export async function forkFound(
  settings: ForkConfig,
  asking: ForkAsking = realForkAsking,
): Promise<Found<ForkReached>> {
  const steps = stepsOn(vmForkRunbook(settings));
  const { seen, answers } = await seeFork(settings, asking, (access) =>
    Promise.all([asking.inspect(settings, access), asking.verify(access, settings.move, steps)]),
  );
  return forkFoundOf(settings, seen, ...answers, Temporal.Now.instant());
}

/** All that was found, out of what EC2 and the servers have told. Pure. */
export function forkFoundOf(
  settings: ForkConfig,
  seen: ForkSeen,
  told: Partial<Inspection>,
  verification: Inspection,
  now: Temporal.Instant,
): Found<ForkReached> {
  const runbook = vmForkRunbook(settings);
  const inspection = inspectionSeen(settings, runbook, seen, told);
  const plan = forkPlan(runbook, settings, inspection, true);
  return {
    ...{ settings, runbook, inspection, verification },
    isOver: isOver(settings, seen, told),
    guards: [...findingsOf(settings, seen, told), ...halfUndone(runbook, settings, inspection)],
    names: [],
    window: checkWindow(settings.window, plan, now),
  };
}
