/** The stack's outputs: flat, stable, right at every phase. */
import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { resultOf } from "../components/step.ts";
import { type MoveConfig, type Phase, phases } from "./config.ts";
import { phaseNumber } from "./runbook.ts";

/** Outputs of a server move. Numbers are -1 while they are not measured. */
export interface MoveOutputs {
  phase: Phase;
  /** Where users would be served after the way back; empty where there is none. */
  rollbackAddress: string;
  oldAddress: string;
  newAddress: string;
  /** The commands that go back by one phase; empty where there is no way back. */
  rollbackCommand: string;
  /** Whether going back loses rows that users have written. */
  rollbackLosesWrites: boolean;
  holdMilliseconds: pulumi.Output<number>;
  /** How long statements waited at the switch of the database (strategy replicate). */
  databaseHoldMilliseconds: pulumi.Output<number>;
  copySeconds: pulumi.Output<number>;
  maintenanceSeconds: pulumi.Output<number>;
  runSheet: string;
  report: pulumi.Output<string>;
}

/** The outputs of a move at its phase. */
export function moveOutputs(
  settings: MoveConfig,
  placed: ReadonlyMap<string, remote.Command>,
  runSheet: string,
  wayBackIsCut: boolean,
): MoveOutputs {
  const { phase } = settings;
  const holdMilliseconds = measured(placed, "traffic", "holdMilliseconds");
  const copying = settings.database.strategy === "replicate" ? "database-follow" : "database-switch";
  const copySeconds = measured(placed, copying, "copySeconds");
  const databaseHoldMilliseconds = measured(placed, "database-switchover", "databaseHoldMilliseconds");
  const maintenanceSeconds = measured(placed, "database-switch", "maintenanceSeconds");
  return {
    phase,
    ...rollback(settings, wayBackIsCut),
    oldAddress: settings.old.address,
    newAddress: settings.new.address,
    holdMilliseconds,
    databaseHoldMilliseconds,
    copySeconds,
    maintenanceSeconds,
    runSheet,
    report: pulumi
      .all([holdMilliseconds, databaseHoldMilliseconds, copySeconds, maintenanceSeconds])
      .apply(([hold, databaseHold, copy, page]) => report(settings, { hold, databaseHold, copy, page })),
  };
}

/**
 * The way back from a phase, to the one before it; `dns` changes nothing yet, so that its way back is that of `database`. It loses
 * writes where old's database does not follow new's, or cannot any more.
 */
export function rollback(
  {
    phase,
    old,
    database,
  }: Pick<MoveConfig, "phase" | "old"> & {
    database: Pick<MoveConfig["database"], "strategy">;
  },
  wayBackIsCut = false,
) {
  const previous = phase === "dns" ? "app" : phases[phaseNumber(phase) - 1];
  const possible = previous !== undefined && phase !== "finished";
  return {
    rollbackAddress: phase === "finished" ? "" : old.address,
    rollbackCommand: possible ? `pulumi config set changeover:phase ${previous} && pulumi up` : "",
    rollbackLosesWrites:
      (database.strategy === "dump" || wayBackIsCut) && (phase === "database" || phase === "dns"),
  };
}

/** A step's measured result, -1 where the step is not there. */
function measured(
  placed: ReadonlyMap<string, remote.Command>,
  step: string,
  result: string,
): pulumi.Output<number> {
  const resource = placed.get(step);
  return resource
    ? resource.stdout.apply((stdout) => Number(resultOf(stdout ?? "", result) ?? -1))
    : pulumi.output(-1);
}

/** What has been reached and what it cost users, in a few lines. */
export function report(
  settings: Pick<MoveConfig, "move" | "phase" | "old" | "new">,
  cost: { hold: number; databaseHold: number; copy: number; page: number },
): string {
  const users =
    phaseNumber(settings.phase) >= phaseNumber("app")
      ? `new (${settings.new.address}), through old's address`
      : `old (${settings.old.address})`;
  const database = phaseNumber(settings.phase) >= phaseNumber("database") ? "new" : "old";
  return [
    `Move ${settings.move} is at phase ${settings.phase}. Users are served by ${users}; the database is ${database}'s.`,
    ...(cost.hold >= 0 ? [`Requests waited for ${cost.hold} ms when old began to pass them on.`] : []),
    ...(cost.copy >= 0
      ? [
          `The database was copied in ${cost.copy} s${cost.page >= 0 ? `; users saw the maintenance page for ${cost.page} s` : ""}.`,
        ]
      : []),
    ...(cost.databaseHold >= 0
      ? [`Statements waited for ${cost.databaseHold} ms when the database was switched.`]
      : []),
    ...(settings.phase === "finished"
      ? [
          "Old's nginx goes on passing requests to new: change DNS to new, and switch old off when nobody comes any more.",
        ]
      : []),
  ].join("\n");
}
