/** How a fork stands, out of what EC2 and the servers have told. Pure. */
import type { Instance } from "@aws-sdk/client-ec2";
import { told as ledTo } from "../../components/elasticIp/address.ts";
import { type Facts, type Inspection, isMute, lines, Unreachable } from "../../components/facts/inspect.ts";
import type { Side } from "../../components/server.ts";
import type { ForkConfig } from "../../stacks/config.ts";
import { copyAddress, sideLed, stoppedSince, writtenOnCopy } from "../../stacks/forkLook.ts";
import { type ForkReached, forkRollback } from "../../stacks/forkOutputs.ts";
import { goBackTo } from "../../stacks/outputs.ts";
import type { Progress } from "../../stacks/progress.ts";
import type { Runbook } from "../../stacks/runbook.ts";
import { vmForkRunbook } from "../../stacks/vmFork.ts";
import { type ForkSeen, inspectionSeen, isOver } from "../fork.ts";
import { isoOf, type Standing, standingOf, type Stood } from "./standing.ts";

/** One machine of a fork; null where there is no such machine, or it is not known. */
export interface ForkMachine {
  instance: string | null;
  /** As EC2 has it: `running`, `stopped`, ... */
  state: string | null;
  address: string | null;
  /** Null where nobody had to ask: there is no copy, or this fork has stopped old. */
  reachable: boolean | null;
  error: string | null;
}

/** The whole status of a fork; its keys are stable. */
export interface ForkStatusReport extends Standing<ForkReached> {
  servers: Record<Side, ForkMachine>;
  /** Whom the Elastic IP leads to, and so who serves users; `unknown` where EC2 cannot be asked. */
  users: {
    side: Side | "elsewhere" | "unknown";
    elasticIp: string;
    leads: string | null;
    error: string | null;
  };
  /** What users have written on the copy, one line for each place, its number first; null where the copy is mute. */
  written: string[] | null;
  /** Since when old is stopped, and until when it is kept; null where this fork has not stopped it. */
  kept: { stoppedAt: string; until: string } | null;
}

/** Makes the report. */
export function forkStatusOf(
  settings: ForkConfig,
  seen: ForkSeen,
  told: Partial<Inspection>,
  now: Stood["now"],
): ForkStatusReport {
  const runbook = vmForkRunbook(settings);
  const inspection = inspectionSeen(settings, runbook, seen, told);
  const over = isOver(settings, seen, told);
  const standing = standingOf({
    ...{ settings, runbook, now, isOver: over },
    inspection: { ...inspection, new: withoutOlds(runbook, inspection) },
  });
  const users = usersOf(settings, seen);
  const written = inspection.new instanceof Unreachable ? null : (writtenOnCopy(told) ?? null);
  return {
    ...standing,
    servers: {
      old: { ...oldOf(settings, seen), ...answerOf(inspection.old, told.old) },
      new: { ...copyOf(settings, seen), ...answerOf(inspection.new, told.new) },
    },
    users,
    rollback: wayBack(
      settings,
      // How far it is, a server that is mute does not tell: by the settings, then.
      isMute(inspection) && !over ? { reached: reachedBy(settings, seen) } : standing.phase.servers,
      losesWrites(users, written),
    ),
    written,
    kept: keptOf(settings, seen),
  };
}

/** The copy's disk was old's: lines that old's steps have left in its journal are old's. */
function withoutOlds(runbook: Runbook<string>, { old, new: fresh }: Inspection): Facts | Unreachable {
  if (fresh instanceof Unreachable) return fresh;
  const onOld = Object.values(runbook)
    .flat()
    .flatMap(({ name, side }) => (side === "old" ? [name] : []));
  const its = old instanceof Unreachable ? [] : lines(old, "journal");
  const own = lines(fresh, "journal").filter(
    (line) => !its.includes(line) && !onOld.includes(line.split("\t")[1] ?? ""),
  );
  return new Map([...fresh, ["journal", own.join("\n")]]);
}

function usersOf({ aws: { elasticIp } }: ForkConfig, { aws }: ForkSeen): ForkStatusReport["users"] {
  if ("rule" in aws) return { side: "unknown", elasticIp, leads: null, error: aws.value };
  const side = sideLed(aws);
  const leads = side && { old: aws.old, new: aws.copies[0] }[side]?.InstanceId;
  return { side: side ?? "elsewhere", elasticIp, leads: leads ?? ledTo(aws.place), error: null };
}

type Machine = Pick<ForkMachine, "instance" | "state" | "address">;

function oldOf({ aws: { old: instance }, old: { address } }: ForkConfig, { aws }: ForkSeen): Machine {
  return { instance, state: "rule" in aws ? null : stateOf(aws.old), address };
}

function copyOf(settings: ForkConfig, { aws }: ForkSeen): Machine {
  const copy = "rule" in aws ? undefined : aws.copies[0];
  return {
    instance: copy?.InstanceId ?? null,
    state: stateOf(copy),
    address: copyAddress(settings, copy) ?? null,
  };
}

function stateOf(instance: Instance | undefined): string | null {
  return instance?.State?.Name ?? null;
}

/** @param told what the server itself has told; nothing where it was not asked. */
function answerOf(
  facts: Facts | Unreachable,
  told: Facts | Unreachable | undefined,
): Pick<ForkMachine, "reachable" | "error"> {
  if (facts instanceof Unreachable) return { reachable: false, error: facts.reason };
  return { reachable: told === undefined ? null : true, error: null };
}

/** Whether something that users have written would stay behind; where that cannot be asked, whether they are there. */
function losesWrites({ side }: ForkStatusReport["users"], written: readonly string[] | null): boolean {
  return written === null ? side !== "old" : written.length > 0;
}

/** How far it is by the settings: not finished where EC2 says that old is not stopped. */
function reachedBy({ phase }: ForkConfig, { aws }: ForkSeen): ForkConfig["phase"] {
  return phase === "finished" && !("rule" in aws) ? "address" : phase;
}

/** The way back from where it is: where a phase is half done, its undo alone. */
function wayBack(
  { old: { address } }: ForkConfig,
  { reached, partial }: Progress<ForkReached>,
  loses: boolean,
): ForkStatusReport["rollback"] {
  if (reached === "finished") return { address: "", command: "", losesWrites: false };
  const command = partial ? goBackTo(reached) : forkRollback(reached).rollbackCommand;
  return { address, command, losesWrites: loses };
}

function keptOf({ fork: { keepOldFor } }: ForkConfig, { aws }: ForkSeen): ForkStatusReport["kept"] {
  if ("rule" in aws || aws.old?.State?.Name !== "stopped") return null;
  const since = stoppedSince(aws.old);
  if (since === undefined || Number.isNaN(since)) return null;
  const iso = (milliseconds: number) => isoOf(String(Math.round(milliseconds / 1000)))!;
  return { stoppedAt: iso(since), until: iso(since + keepOldFor * 1000) };
}
