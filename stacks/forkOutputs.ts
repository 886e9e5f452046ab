/** What an operator reads of a fork: run sheet and outputs. */
import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { forPeople } from "../components/duration.ts";
import { copyName } from "../components/fork/steps.ts";
import { type ForkConfig, type ForkPhase, forkPhases } from "./config.ts";
import { goBackTo } from "./outputs.ts";
import type { SheetText } from "./runSheet.ts";

/** A phase of a fork that has steps. */
export type ForkReached = Exclude<ForkPhase, "idle">;

/** Outputs of a fork. */
export interface ForkOutputs {
  phase: ForkPhase;
  /** The machine that users would come to after the way back; empty where there is none. */
  rollbackAddress: string;
  oldAddress: string;
  /** The copy's own address; empty where there is no copy. */
  newAddress: pulumi.Output<string>;
  /** The copy's id; empty where there is no copy. */
  newInstance: pulumi.Output<string>;
  rollbackCommand: string;
  /** Whether what users have written on the copy since they are there would stay behind; the way back names it, and is refused until that is accepted. */
  rollbackLosesWrites: boolean;
  runSheet: string;
  report: string;
}

/** The way back from a phase, to the one before it. */
export function forkRollback(phase: ForkPhase): { rollbackCommand: string; rollbackLosesWrites: boolean } {
  const previous = forkPhases[Math.max(0, forkPhases.indexOf(phase) - 1)]!;
  return {
    rollbackCommand: phase === "finished" ? "" : goBackTo(previous),
    rollbackLosesWrites: phase === "address",
  };
}

/** Who serves users at a phase. */
function served(phase: ForkPhase): "old" | "the copy" {
  return phase === "address" || phase === "finished" ? "the copy" : "old";
}

/** Users on old, while its copy is there, cannot write where the site was made read-only. */
function readOnly({ phase, fork }: ForkConfig): string {
  return fork.readOnly && (phase === "prepared" || phase === "app")
    ? ", and can only read: until address, or back at idle"
    : "";
}

/** What the run sheet says beside its steps. */
export function forkSheet(
  settings: ForkConfig,
  written: readonly string[] | undefined,
): SheetText<ForkReached> {
  const { move, aws, phase, fork } = settings;
  const prepared = fork.readOnly
    ? `  -- the site is read-only from here on, until users are on the copy`
    : "  -- users notice nothing; what they write on old from the snapshots on, the copy does not have";
  const lost =
    written === undefined
      ? " What users have written on the copy cannot be found out."
      : written.length > 0
        ? ` Written on the copy since users are there: ${written.join(", ")}.`
        : "";
  return {
    head: `Run sheet of fork ${move}: ${aws.old} (old) to its copy ${copyName(settings)} (new), phase ${phase}`,
    notes: (at) =>
      ({
        prepared,
        app: "",
        address: `  -- Elastic IP ${aws.elasticIp} goes over in one call; new connections wait about a second, what is open may end first`,
        finished: "  -- POINT OF NO RETURN",
      })[at],
    end: `Users are served by ${served(phase)} when this is done${readOnly(settings)}. ${wayBack(settings)}${lost}`,
  };
}

function wayBack({ phase, fork }: ForkConfig): string {
  if (phase === "idle") return "There is nothing to go back from.";
  if (phase === "address")
    return "Going back leaves on the copy what users write there from now on: it is refused, with what that is, until you accept that.";
  if (phase === "finished")
    return `There is no way back from here; old is kept, stopped, for ${forPeople(fork.keepOldFor)} and more, until changeover:fork.terminateOld names it.`;
  return "Going back terminates the copy; its snapshots are kept.";
}

/** The outputs of a fork at its phase. */
export function forkOutputs(
  settings: ForkConfig,
  placed: ReadonlyMap<string, remote.Command>,
  copy: { id: pulumi.Input<string>; address: pulumi.Input<string> } | undefined,
  runSheet: string,
): ForkOutputs {
  const { phase, old, aws, move } = settings;
  return {
    phase,
    rollbackAddress: phase === "finished" ? "" : old.address,
    oldAddress: old.address,
    newAddress: pulumi.output(copy?.address ?? ""),
    newInstance: pulumi.output(copy?.id ?? ""),
    ...forkRollback(phase),
    runSheet,
    report: `Fork ${move} is at phase ${phase}, with ${placed.size} steps done. Users come by ${aws.elasticIp} to ${served(phase)}${readOnly(settings)}.`,
  };
}
