/** Everything that can be checked of a move: every guard, every verify of what is done, the names, the window. Reads only. */
import { Temporal } from "temporal-polyfill";
import { inspect, type Inspection } from "../../components/facts/inspect.ts";
import { inspectionSettings } from "../../components/facts/settings.ts";
import { verifySteps } from "../../components/facts/verify.ts";
import { findings } from "../../components/guards/guards.ts";
import type { Access } from "../../components/server.ts";
import { checkWindow } from "../../components/window/guard.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { lookAtAws } from "../../stacks/aws.ts";
import { lookAtNames } from "../../stacks/names.ts";
import { planOf } from "../../stacks/plan.ts";
import { goesAhead } from "../../stacks/progress.ts";
import type { Runbook } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { stragglerFindings } from "../../stacks/stragglers.ts";
import { type CheckReport, reportOf } from "./report.ts";

/** Checks a move as it is now. Throws for no server: what could not be found out is in the report. */
export async function check(settings: MoveConfig, access: Access): Promise<CheckReport> {
  const began = Date.now();
  const runbook = serverMoveRunbook(settings);
  const steps = Object.values(runbook).flat();
  const [inspection, verification] = await Promise.all([
    inspect(access, inspectionSettings(settings, false)),
    verifySteps(access, settings.move, (side) =>
      steps.filter((step) => step.side === side).map(({ name }) => name),
    ),
  ]);
  const found = await allFindings(settings, runbook, inspection);
  return {
    ...reportOf({ settings, runbook, inspection, verification, ...found }),
    seconds: (Date.now() - began) / 1000,
  };
}

/** What the guards find, as in preview. */
async function allFindings(settings: MoveConfig, runbook: Runbook, inspection: Inspection) {
  const plan = planOf(runbook, settings, inspection, true);
  const [names, aws] = await Promise.all([
    lookAtNames(settings, inspection),
    lookAtAws(settings, inspection, () => goesAhead(runbook, settings, inspection)),
  ]);
  return {
    guards: [...findings(settings, inspection), ...stragglerFindings(settings, inspection, true)],
    names: [...names.findings, ...aws.findings],
    window: checkWindow(settings.window, plan, Temporal.Now.instant()),
  };
}
