/** old server -> new server: what happens, in which order. Reads like the page of a wiki that it replaces. */
import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { Temporal } from "temporal-polyfill";
import { inspect } from "../components/facts/inspect.ts";
import { inspectionSettings } from "../components/facts/settings.ts";
import { checkMove, losesWrites } from "../components/guards/guards.ts";
import { placeStep, type Step, type StepContext } from "../components/step.ts";
import { makeKey, openGate } from "../components/access/access.ts";
import { copyAccounts } from "../components/accounts/accounts.ts";
import { comparePages } from "../components/compare/compare.ts";
import { sendCanary, sendCanaryByName } from "../components/canary/canary.ts";
import {
  copyCertificates,
  obtainCertificate,
  passChallenges,
  startRenewal,
  stopRenewal,
} from "../components/certificates/certificates.ts";
import { clearCacheOnNew, clearCacheOnOld, clearsCache } from "../components/cache/cache.ts";
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
import { outsideOfWindow, recordDecision, withStragglers } from "../components/decision/decision.ts";
import { closeDeploys } from "../components/deploys/deploys.ts";
import { catchUpFiles, copyFiles } from "../components/files/files.ts";
import { awaitResolvers, type NamesInRun, placing } from "../components/dns/dns.ts";
import { leadElasticIp } from "../components/elasticIp/elasticIp.ts";
import { finishNew, finishOld } from "../components/finish/finish.ts";
import { openFirewall, openFirewallOnNew } from "../components/firewall/firewall.ts";
import { startJobs, stopJobs } from "../components/jobs/jobs.ts";
import { copyLogrotate } from "../components/logrotate/logrotate.ts";
import { hasMonit, stageMonit, startMonit, stopMonit } from "../components/monit/monit.ts";
import { installPackages } from "../components/packages/packages.ts";
import { installSite, takeTraffic } from "../components/proxy/proxy.ts";
import { fetchJournal, writeReport } from "../components/report/report.ts";
import { takeSnapshots } from "../components/snapshots/snapshots.ts";
import { sharedSettings, usesPooler } from "../components/site.ts";
import { copyUnits, startWeb } from "../components/web/web.ts";
import { checkWindow } from "../components/window/guard.ts";
import { announce, announcementOf } from "./announcement.ts";
import { recordsOfOld, tellAddresses } from "./addresses.ts";
import { readAccess } from "./access.ts";
import type { MoveConfig } from "./config.ts";
import { type AwsInRun, lookAtAws } from "./aws.ts";
import { type MoveOutputs, moveOutputs } from "./outputs.ts";
import { lookAtNames, namesSteps } from "./names.ts";
import { MoveNotices, noticeMove } from "./notices.ts";
import { doneSteps, planOf } from "./plan.ts";
import { goesAhead } from "./progress.ts";
import { phaseNumber, placeMark, placeRunbook, type Runbook } from "./runbook.ts";
import { stragglerFindings } from "./stragglers.ts";
import { halfUndone } from "./halfUndone.ts";
import { runSheet } from "./runSheet.ts";

/** From here on new's database follows old's. */
function followSteps(settings: MoveConfig, after: readonly string[]): Step[] {
  return [allowFollowing(settings, after), publishChanges(settings), followDatabase(settings)];
}

/** Some steps come before all the others of their phase. */
function behind(first: readonly Step[], steps: readonly Step[]): Step[] {
  const after = first.map(({ name }) => name);
  return [...first, ...steps.map((step) => ({ ...step, after: [...after, ...(step.after ?? [])] }))];
}

/**
 * The runbook of a server move.
 * @param run the records of the site's names in this run, where Pulumi itself changes them.
 * @param awsRun what this run makes at AWS.
 */
export function serverMoveRunbook(settings: MoveConfig, run?: NamesInRun, awsRun?: AwsInRun): Runbook {
  const { strategy, restart } = settings.database;
  const replicate = strategy === "replicate";
  const names = namesSteps(settings, run);
  const { aws, certificates } = settings;
  const access = awsRun?.access;
  const group = (side: "old" | "new") => {
    const id = aws?.securityGroups[side];
    return id && awsRun
      ? { natives: awsRun.natives, id, finished: settings.phase === "finished" }
      : undefined;
  };
  const monit = hasMonit(settings);
  const cache = clearsCache(settings) ? settings : undefined;
  const owned = ["jobs-start", "cron-start", ...(monit ? ["monit-start"] : [])];
  const told = ["compare", ...(monit ? ["monit-stop"] : [])];
  return {
    prepared: behind(aws?.snapshots ? [takeSnapshots(settings, aws.old, awsRun)] : [], [
      installPackages(settings),
      ...names.prepared,
      makeKey(settings),
      openFirewall(settings, group("old")),
      openGate(settings),
      openDatabase(settings),
      copyAccounts(settings),
      copyFiles(settings),
      copyUnits(settings),
      copyCertificates(settings),
      copyLogrotate(settings),
      stageCron(settings),
      ...(monit ? [stageMonit(settings)] : []),
      ...(replicate ? [openFirewallOnNew(settings, group("new")), openNewDatabase(settings)] : []),
      copyRoles(settings),
      ...(usesPooler(settings) ? [installPooler(settings)] : []),
      leadToOldDatabase(settings),
      installSite(settings),
      ...(certificates.from === "acme" ? [passChallenges(settings), obtainCertificate(settings)] : []),
      startWeb(settings),
      ...(cache ? [clearCacheOnNew(cache, "cache-prepared", "web-start")] : []),
      ...(replicate && restart === "prepared" ? followSteps(settings, ["web-start", "database-server"]) : []),
    ]),
    app: [
      closeDeploys(settings, "old", []),
      catchUpFiles(settings),
      closeDeploys(settings, "new", ["files-catch-up"]),
      comparePages(settings),
      ...(monit ? [stopMonit(settings)] : []),
      stopJobs(settings, told),
      stopCron(settings, told),
      stopRenewal(settings),
      ...(cache ? [clearCacheOnOld(cache)] : []),
      takeTraffic(settings, cache ? ["cache-old"] : []),
      ...(cache ? [clearCacheOnNew(cache, "cache-new", "traffic")] : []),
      startJobs(settings),
      startCron(settings),
      ...(monit ? [startMonit(settings)] : []),
      startRenewal(settings),
      ...(settings.dns ? [awaitResolvers(settings, settings.dns, owned)] : []),
      ...(replicate && restart === "app" ? followSteps(settings, owned) : []),
    ],
    database: [
      replicate ? switchOver(settings) : switchDatabase(settings),
      ...sendCanary(settings, replicate ? "database-switchover" : "database-switch"),
    ],
    dns: [
      ...names.dns,
      ...(aws?.elasticIp === undefined
        ? []
        : [
            leadElasticIp(
              settings,
              { ...aws, elasticIp: aws.elasticIp },
              { hold: access && { access: () => access, drainSeconds: settings.holdBudget } },
            ),
          ]),
      ...(settings.dns ? sendCanaryByName(settings) : []),
    ],
    finished: [
      ...names.finished,
      fetchJournal(settings),
      finishOld(settings),
      finishNew(settings),
      writeReport(settings),
    ],
  };
}

/** Looks, checks, prints the run sheet, places the steps; returns the stack's outputs. */
export async function serverMove(settings: MoveConfig): Promise<MoveOutputs> {
  const access = await readAccess(settings);
  const rehearsal = pulumi.runtime.isDryRun();
  const [inspection, records] = await Promise.all([
    inspect(access, inspectionSettings(settings, rehearsal)),
    rehearsal ? recordsOfOld(settings) : undefined,
  ]);
  const [names, aws] = await Promise.all([
    lookAtNames(settings, inspection),
    lookAtAws(settings, inspection, () => goesAhead(serverMoveRunbook(settings), settings, inspection)),
  ]);
  const runbook = serverMoveRunbook(settings, names.run, aws.run && { ...aws.run, access });
  const plan = planOf(runbook, settings, inspection, rehearsal);
  const warnings = checkMove(settings, inspection, [
    ...checkWindow(settings.window, plan, Temporal.Now.instant()),
    ...names.findings,
    ...aws.findings,
    ...stragglerFindings(settings, inspection, rehearsal),
    ...halfUndone(runbook, settings, inspection),
  ]);
  const sheet = runSheet(runbook, settings, inspection);
  for (const warning of warnings) await pulumi.log.warn(warning);
  if (rehearsal) await tellAddresses(settings, inspection, records);
  const announcement = announcementOf(settings, inspection, Temporal.Now.instant());
  await pulumi.log.info(sheet);
  if (rehearsal && announcement) await pulumi.log.info(`  For users: ${announcement.text}`);

  const context: StepContext = {
    move: settings.move,
    access,
    settings: sharedSettings(settings),
    retain: settings.phase === "finished",
  };
  const isDone = doneSteps(settings.move, inspection);
  const notices = new MoveNotices(noticeMove(settings), isDone);
  // Where nothing is reached no step places the records, and they are what they were.
  if (names.run && names.run.ahead === undefined) placing(names.run)([], { onError: [notices.onError] });
  const announced: pulumi.Resource[] = [];
  const placed = placeRunbook(runbook, settings.phase, context, {
    onError: notices.onError,
    begins: (...at) => notices.begins(...at),
    reached: (phase, steps, byName) => {
      const after = steps.map(({ name }) => byName.get(name)!);
      announced.push(...announce(settings, announcement, phase, steps.every(isDone), after));
      return notices.reached(phase, steps, byName);
    },
  });
  const all = [...placed.values(), ...notices.placed, ...announced, ...placeDecisions(settings, context)];
  placeMark(settings.move, settings.phase, all);
  return moveOutputs(settings, placed, sheet, losesWrites(settings, inspection), announcement?.text);
}

/**
 * What the operator has decided (to lose rows, to go on outside of the window, to leave stragglers behind) is no part of a phase: it has to be on the server before an
 * undo asks for it, and creates come before deletes.
 */
function placeDecisions(settings: MoveConfig, context: StepContext): remote.Command[] {
  const { acceptLostWrites, window, stragglers, phase } = settings;
  const decisions = [
    ...(acceptLostWrites === undefined ? [] : [giveConsent(settings, acceptLostWrites)]),
    ...(window?.override && phaseNumber(phase) > 0
      ? [recordDecision(settings, outsideOfWindow, window.override)]
      : []),
  ];
  const last =
    phase === "finished" && stragglers.accept
      ? [recordDecision(settings, withStragglers, stragglers.accept)]
      : [];
  return [
    ...decisions.map((step) => placeStep({ ...context, retain: false }, step, 0, [], new Map())),
    ...last.map((step) => placeStep(context, step, 0, [], new Map())),
  ];
}
