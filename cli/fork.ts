/** How the command asks for a fork: EC2 first, which tells where the copy is, then old and the copy. */
import { type Inspection, type Reached, Unreachable } from "../components/facts/inspect.ts";
import { verifySteps } from "../components/facts/verify.ts";
import { checkServers } from "../components/fork/guard.ts";
import type { Finding } from "../components/guards/guards.ts";
import type { Server } from "../components/server.ts";
import { readKey } from "../stacks/access.ts";
import type { ForkConfig } from "../stacks/config.ts";
import {
  copyServer,
  type ForkAws,
  forkFindings,
  inspectFork,
  inspectionOf,
  isFinished,
  lookAtFork,
  reachedOf,
  readForkStatus,
} from "../stacks/forkLook.ts";
import type { Runbook } from "../stacks/runbook.ts";

/** How a fork's servers are asked; in tests something else stands in for them. */
export interface ForkAsking {
  key: typeof readKey;
  inspect: typeof inspectFork;
  verify: typeof verifySteps;
  status: typeof readForkStatus;
}

/** The servers themselves. */
export const realForkAsking: ForkAsking = {
  key: readKey,
  inspect: inspectFork,
  verify: verifySteps,
  status: readForkStatus,
};

/** What EC2 tells of a fork, or why it could not be asked, and how the copy is reached. */
export interface ForkSeen {
  aws: ForkAws | Finding;
  server: Server | undefined;
}

/** Asks EC2, and then those of the two servers that can be asked; without EC2 that is old alone. */
export async function seeFork<T>(
  settings: ForkConfig,
  asking: ForkAsking,
  ask: (access: Reached) => Promise<T>,
): Promise<{ seen: ForkSeen; answers: T }> {
  const { old, bastion } = settings;
  const opening = { bastion, ...(await asking.key(settings)) };
  const aws = await lookAtFork(settings);
  if ("rule" in aws) return { seen: { aws, server: undefined }, answers: await ask({ ...opening, old }) };
  const server = copyServer(settings, aws.copies[0]);
  return { seen: { aws, server }, answers: await ask(reachedOf(settings, aws, server, opening)) };
}

/** What both servers have told, with why one did not. Pure. */
export function inspectionSeen(
  settings: ForkConfig,
  runbook: Runbook<string>,
  { aws }: ForkSeen,
  told: Partial<Inspection>,
): Inspection {
  if (!("rule" in aws)) return inspectionOf(settings, runbook, aws, told);
  return { old: told.old!, new: new Unreachable(`EC2 could not be asked where it is: ${aws.value}`) };
}

/** Whether it is known that old is stopped by this fork: there is no way back. Pure. */
export function isOver(settings: ForkConfig, { aws }: ForkSeen, told: Partial<Inspection>): boolean {
  return !("rule" in aws) && isFinished(settings, aws, told);
}

/** What the guards find, as in preview; where EC2 could not be asked, that and what old says. Pure. */
export function findingsOf(
  settings: ForkConfig,
  { aws, server }: ForkSeen,
  told: Partial<Inspection>,
): Finding[] {
  if (!("rule" in aws)) return forkFindings(settings, aws, told, server);
  const { old, bastion } = settings;
  return [aws, ...checkServers(settings, { old: told.old!, copy: undefined, at: { old, bastion } })];
}
