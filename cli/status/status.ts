/** How a move or a fork stands, as its servers tell it. Reads only. */
import { Temporal } from "temporal-polyfill";
import { readStatus } from "../../components/facts/status.ts";
import { readAccess } from "../../stacks/access.ts";
import type { ForkConfig, MoveConfig } from "../../stacks/config.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { type ForkAsking, realForkAsking, seeFork } from "../fork.ts";
import { askNames } from "../names.ts";
import { type ForkStatusReport, forkStatusOf } from "./fork.ts";
import { forkStatusText } from "./forkText.ts";
import type { StatusTextOptions } from "./parts.ts";
import { type StatusReport, statusOf } from "./report.ts";
import { statusText } from "./text.ts";

/** A status, and how people read it. */
export interface Status {
  report: StatusReport | ForkStatusReport;
  text: (options: StatusTextOptions) => string;
  /** 2 where a server is mute. */
  exitCode: 0 | 2;
}

/** Asks servers, and name servers or EC2. Throws for none: what is not known is in the report. */
export async function status(settings: MoveConfig | ForkConfig): Promise<Status> {
  if (settings.runbook === "vmFork") {
    const report = await forkStatus(settings);
    return { report, text: (options) => forkStatusText(report, options), exitCode: exitCodeOf(report) };
  }
  const report = await moveStatus(settings);
  return { report, text: (options) => statusText(report, options), exitCode: exitCodeOf(report) };
}

function exitCodeOf({ servers }: StatusReport | ForkStatusReport): 0 | 2 {
  return servers.old.reachable === false || servers.new.reachable === false ? 2 : 0;
}

async function moveStatus(settings: MoveConfig): Promise<StatusReport> {
  const access = await readAccess(settings);
  const [inspection, names] = await Promise.all([readStatus(access, settings), askNames(settings)]);
  return statusOf(settings, serverMoveRunbook(settings), inspection, names, Temporal.Now.instant());
}

/** The status of a fork. */
export async function forkStatus(
  settings: ForkConfig,
  asking: ForkAsking = realForkAsking,
): Promise<ForkStatusReport> {
  const { seen, answers } = await seeFork(settings, asking, (access) => asking.status(settings, access));
  return forkStatusOf(settings, seen, answers, Temporal.Now.instant());
}
