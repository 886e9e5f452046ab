/** old server -> new server: what happens, in which order. Reads like the page of a wiki that it replaces. */
import * as pulumi from "@pulumi/pulumi";
import { inspect } from "../components/facts/inspect.ts";
import { checkMove } from "../components/guards/guards.ts";
import { placeStep, type StepContext } from "../components/step.ts";
import * as step from "../components/steps.ts";
import { readAccess } from "./access.ts";
import type { MoveConfig } from "./config.ts";
import { type MoveOutputs, moveOutputs } from "./outputs.ts";
import { placeMark, placeRunbook, type Runbook } from "./runbook.ts";
import { runSheet } from "./runSheet.ts";

/** The runbook of a server move. */
export function serverMoveRunbook(settings: MoveConfig): Runbook {
  return {
    prepared: [
      step.makeKey(settings),
      step.openFirewall(settings),
      step.openGate(settings),
      step.openDatabase(settings),
      step.copyAccounts(settings),
      step.copyFiles(settings),
      step.copyUnits(settings),
      step.copyCertificates(settings),
      step.copyLogrotate(settings),
      step.stageCron(settings),
      step.copyRoles(settings),
      step.leadToOldDatabase(settings),
      step.installSite(settings),
      step.startWeb(settings),
    ],
    app: [
      step.closeDeploys(settings, "old", []),
      step.catchUpFiles(settings),
      step.closeDeploys(settings, "new", ["files-catch-up"]),
      step.stopJobs(settings),
      step.stopCron(settings),
      step.takeTraffic(settings),
      step.startJobs(settings),
      step.startCron(settings),
    ],
    database: [step.switchDatabase(settings)],
    dns: [],
    finished: [step.finishOld(settings), step.finishNew(settings)],
  };
}

/** Looks, checks, prints the run sheet, places the steps; returns the stack's outputs. */
export async function serverMove(settings: MoveConfig): Promise<MoveOutputs> {
  const access = await readAccess(settings);
  const inspection = await inspect(access, { ...step.sharedSettings(settings), MOVE: settings.move });
  const warnings = checkMove(settings, inspection);
  const runbook = serverMoveRunbook(settings);
  const sheet = runSheet(runbook, settings, inspection);
  for (const warning of warnings) await pulumi.log.warn(warning);
  await pulumi.log.info(sheet);

  const context: StepContext = {
    move: settings.move,
    access,
    settings: step.sharedSettings(settings),
    retain: settings.phase === "finished",
  };
  const placed = placeRunbook(runbook, settings.phase, context);
  placeConsent(settings, context);
  placeMark(settings.move, settings.phase, [...placed.values()]);
  return moveOutputs(settings, placed, sheet);
}

/**
 * The consent to lose rows is no part of a phase: it has to be on the server before an undo asks for it, and creates come
 * before deletes.
 */
function placeConsent(settings: MoveConfig, context: StepContext): void {
  if (settings.acceptLostWrites === undefined) return;
  placeStep(
    { ...context, retain: false },
    step.giveConsent(settings, settings.acceptLostWrites),
    0,
    [],
    new Map(),
  );
}
