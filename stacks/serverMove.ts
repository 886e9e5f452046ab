/** old server -> new server: what happens, in which order. Reads like the page of a wiki that it replaces. */
import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { inspect } from "../components/facts/inspect.ts";
import { checkMove, losesWrites } from "../components/guards/guards.ts";
import { placeStep, type Step, type StepContext } from "../components/step.ts";
import { makeKey, openGate } from "../components/access/access.ts";
import { copyAccounts } from "../components/accounts/accounts.ts";
import { copyCertificates } from "../components/certificates/certificates.ts";
import { giveConsent } from "../components/consent/consent.ts";
import { stageCron, startCron, stopCron } from "../components/cron/cron.ts";
import {
  allowFollowing,
  copyRoles,
  followDatabase,
  installPooler,
  leadToOldDatabase,
  openDatabase,
  openNewDatabase,
  publishChanges,
  switchDatabase,
  switchOver,
} from "../components/database/database.ts";
import { closeDeploys } from "../components/deploys/deploys.ts";
import { catchUpFiles, copyFiles } from "../components/files/files.ts";
import { finishNew, finishOld } from "../components/finish/finish.ts";
import { openFirewall, openFirewallOnNew } from "../components/firewall/firewall.ts";
import { startJobs, stopJobs } from "../components/jobs/jobs.ts";
import { copyLogrotate } from "../components/logrotate/logrotate.ts";
import { installPackages } from "../components/packages/packages.ts";
import { installSite, takeTraffic } from "../components/proxy/proxy.ts";
import { sharedSettings } from "../components/site.ts";
import { copyUnits, startWeb } from "../components/web/web.ts";
import { readAccess } from "./access.ts";
import type { MoveConfig } from "./config.ts";
import { type MoveOutputs, moveOutputs } from "./outputs.ts";
import { placeMark, placeRunbook, type Runbook } from "./runbook.ts";
import { runSheet } from "./runSheet.ts";

/** From here on new's database follows old's. */
function followSteps(settings: MoveConfig, after: readonly string[]): Step[] {
  return [allowFollowing(settings, after), publishChanges(settings), followDatabase(settings)];
}

/** The runbook of a server move. */
export function serverMoveRunbook(settings: MoveConfig): Runbook {
  const { strategy, restart } = settings.database;
  const replicate = strategy === "replicate";
  return {
    prepared: [
      installPackages(settings),
      makeKey(settings),
      openFirewall(settings),
      openGate(settings),
      openDatabase(settings),
      copyAccounts(settings),
      copyFiles(settings),
      copyUnits(settings),
      copyCertificates(settings),
      copyLogrotate(settings),
      stageCron(settings),
      ...(replicate ? [openFirewallOnNew(settings), openNewDatabase(settings)] : []),
      copyRoles(settings),
      ...(replicate ? [installPooler(settings)] : []),
      leadToOldDatabase(settings),
      installSite(settings),
      startWeb(settings),
      ...(replicate && restart === "prepared" ? followSteps(settings, ["web-start", "database-server"]) : []),
    ],
    app: [
      closeDeploys(settings, "old", []),
      catchUpFiles(settings),
      closeDeploys(settings, "new", ["files-catch-up"]),
      stopJobs(settings),
      stopCron(settings),
      takeTraffic(settings),
      startJobs(settings),
      startCron(settings),
      ...(replicate && restart === "app" ? followSteps(settings, ["jobs-start", "cron-start"]) : []),
    ],
    database: [replicate ? switchOver(settings) : switchDatabase(settings)],
    dns: [],
    finished: [finishOld(settings), finishNew(settings)],
  };
}

/** Looks, checks, prints the run sheet, places the steps; returns the stack's outputs. */
export async function serverMove(settings: MoveConfig): Promise<MoveOutputs> {
  const access = await readAccess(settings);
  const inspection = await inspect(access, { ...sharedSettings(settings), MOVE: settings.move });
  const warnings = checkMove(settings, inspection);
  const runbook = serverMoveRunbook(settings);
  const sheet = runSheet(runbook, settings, inspection);
  for (const warning of warnings) await pulumi.log.warn(warning);
  await pulumi.log.info(sheet);

  const context: StepContext = {
    move: settings.move,
    access,
    settings: sharedSettings(settings),
    retain: settings.phase === "finished",
  };
  const placed = placeRunbook(runbook, settings.phase, context);
  placeMark(settings.move, settings.phase, [...placed.values(), ...placeConsent(settings, context)]);
  return moveOutputs(settings, placed, sheet, losesWrites(settings, inspection));
}

/**
 * The consent to lose rows is no part of a phase: it has to be on the server before an undo asks for it, and creates come
 * before deletes.
 */
function placeConsent(settings: MoveConfig, context: StepContext): remote.Command[] {
  if (settings.acceptLostWrites === undefined) return [];
  const consent = giveConsent(settings, settings.acceptLostWrites);
  return [placeStep({ ...context, retain: false }, consent, 0, [], new Map())];
}
