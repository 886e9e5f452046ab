/** The stack's outputs: flat, stable, right at every phase. */
import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { writtenReport } from "../components/report/report.ts";
import { resultOf } from "../components/result.ts";
import { type MoveConfig, type Phase, phases } from "./config.ts";
import { phaseNumber } from "./runbook.ts";

/** Outputs of a server move. Numbers are -1 while they are not measured. */
export interface MoveOutputs {
  phase: Phase;
  /** Where users would be served after the way back; empty where there is none. */
  rollbackAddress: string;
  oldAddress: string;
  newAddress: string;
  /**
   * The commands that go back by one phase, at idle those that undo what a failed `up` has left; empty where there is no way back.
   * Where an `up` fails, the engine keeps the outputs of before, and where a way back fails, it has those of the lower phase already: the
   * command leads back from there all the same.
   */
  rollbackCommand: string;
  /** Whether going back loses rows that users have written. */
  rollbackLosesWrites: boolean;
  holdMilliseconds: pulumi.Output<number>;
  /** How long statements waited in PgBouncer at the switch of the database. */
  databaseHoldMilliseconds: pulumi.Output<number>;
  copySeconds: pulumi.Output<number>;
  /** How long users saw the maintenance page, at the switch and at the restart of old's PostgreSQL behind it. */
  maintenanceSeconds: pulumi.Output<number>;
  /** Whose database a write through the site's name has reached after the switch; empty where none was sent (`site.canary`). */
  canaryDatabase: pulumi.Output<string>;
  /** What users are to be told, with the expected times; empty where no announcement is asked for. */
  announcement: string;
  runSheet: string;
  report: pulumi.Output<string>;
}

/** The outputs of a move at its phase. */
export function moveOutputs(
  settings: MoveConfig,
  placed: ReadonlyMap<string, remote.Command>,
  runSheet: string,
  wayBackIsCut: boolean,
  announcement = "",
): MoveOutputs {
  const { phase } = settings;
  const holdMilliseconds = measured(placed, "traffic", "holdMilliseconds");
  const copying = settings.database.strategy === "replicate" ? "database-follow" : "database-switch";
  const copySeconds = measured(placed, copying, "copySeconds");
  const databaseHoldMilliseconds = measured(placed, "database-switchover", "databaseHoldMilliseconds");
  const maintenanceSeconds = pulumi
    .all(
      ["database-wal-level", "database-switchover", "database-switch"].map((step) =>
        measured(placed, step, "maintenanceSeconds"),
      ),
    )
    .apply(total);
  return {
    phase,
    ...rollback(settings, wayBackIsCut),
    oldAddress: settings.old.address,
    newAddress: settings.new.address,
    holdMilliseconds,
    databaseHoldMilliseconds,
    copySeconds,
    maintenanceSeconds,
    canaryDatabase: told(placed, "canary", "canaryDatabase"),
    announcement,
    runSheet,
    report: pulumi
      .all([
        holdMilliseconds,
        databaseHoldMilliseconds,
        copySeconds,
        maintenanceSeconds,
        placed.get("report")?.stdout ?? "",
      ])
      .apply(([hold, databaseHold, copy, page, printed]) =>
        [report(settings, { hold, databaseHold, copy, page }), writtenReport(printed ?? "")]
          .filter(Boolean)
          .join("\n\n"),
      ),
  };
}

/**
 * The way back from a phase, to the one before it, at idle to idle; where `dns` changes nothing, its way back is that of `database`. It loses
 * writes where old's database does not follow new's, or cannot any more.
 */
export function rollback(
  {
    phase,
    old,
    database,
    dns,
  }: Pick<MoveConfig, "phase" | "old" | "dns"> & {
    database: Pick<MoveConfig["database"], "strategy">;
  },
  wayBackIsCut = false,
) {
  const previous = phase === "dns" && !dns ? "app" : (phases[phaseNumber(phase) - 1] ?? "idle");
  const possible = phase !== "finished";
  return {
    rollbackAddress: phase === "finished" ? "" : old.address,
    rollbackCommand: possible ? goBackTo(previous) : "",
    rollbackLosesWrites:
      (database.strategy === "dump" || wayBackIsCut) && (phase === "database" || phase === "dns"),
  };
}

/** The commands that go back to a phase. */
export function goBackTo(phase: string): string {
  return `pulumi config set changeover:phase ${phase} && pulumi up`;
}

/** A step's result as it stands, empty where the step is not there. */
function told(
  placed: ReadonlyMap<string, remote.Command>,
  step: string,
  result: string,
): pulumi.Output<string> {
  const resource = placed.get(step);
  return resource
    ? resource.stdout.apply((stdout) => resultOf(stdout ?? "", result) ?? "")
    : pulumi.output("");
}

/** A step's measured result, -1 where the step is not there. */
function measured(
  placed: ReadonlyMap<string, remote.Command>,
  step: string,
  result: string,
): pulumi.Output<number> {
  return told(placed, step, result).apply((value) => (value === "" ? -1 : Number(value)));
}

/** The sum of what was measured, -1 where nothing was. */
function total(numbers: readonly number[]): number {
  const known = numbers.filter((number) => number >= 0);
  return known.length === 0 ? -1 : known.reduce((sum, number) => sum + number, 0);
}

/** Who serves users at a phase, and how they come there where not by its own address. */
export function servedBy({ phase, dns }: Pick<MoveConfig, "phase" | "dns">): {
  side: "old" | "new";
  way: string;
} {
  if (phaseNumber(phase) < phaseNumber("app")) return { side: "old", way: "" };
  const byName = dns && phaseNumber(phase) >= phaseNumber("dns");
  return { side: "new", way: byName ? "" : ", through old's address" };
}

/** What has been reached and what it cost users, in a few lines. */
export function report(
  settings: Pick<MoveConfig, "move" | "phase" | "old" | "new" | "dns">,
  cost: { hold: number; databaseHold: number; copy: number; page: number },
): string {
  const { side, way } = servedBy(settings);
  const users = `${side} (${settings[side].address})${way}`;
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
          `Old's nginx goes on passing requests to new: ${settings.dns ? "" : "change DNS to new, and "}switch old off when nobody comes any more.`,
        ]
      : []),
  ].join("\n");
}
