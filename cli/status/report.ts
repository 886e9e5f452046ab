/** How a move stands, out of what the servers and the name servers have told. Pure. */
import { Temporal } from "temporal-polyfill";
import { type Facts, type Inspection, Unreachable } from "../../components/facts/inspect.ts";
import { type Following, followingNow, wayBackIsCut } from "../../components/guards/follower.ts";
import type { Side } from "../../components/server.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { goBackTo, rollback } from "../../stacks/outputs.ts";
import { type Marks, marksOf, type Progress } from "../../stacks/progress.ts";
import type { Runbook } from "../../stacks/runbook.ts";
import type { NameAnswer } from "../names.ts";
import { factsOf, isoOf, type Standing, standingOf } from "./standing.ts";

/** The whole status; its keys are stable. */
export interface StatusReport extends Standing {
  servers: Record<Side, { address: string; reachable: boolean; error: string | null }>;
  /** Who serves users, and whether they come through old's address or by the names; `unknown` where old cannot be asked. */
  users: { side: Side | "unknown"; through: "names" | "old's address" | "unknown"; maintenancePage: boolean };
  /** On which side users' rows are written. */
  database: { side: Side | "unknown"; error: Record<Side, string | null> };
  /** How replication gets on; null where nothing follows. */
  replication: Following | null;
  names: NameAnswer[];
  /** From when on, by the TTLs, the phases `dns` and `finished` may begin; null where that is not known (yet), or names are left alone. */
  earliest: { dns: string | null; finished: string | null };
}

/** Makes the report. */
export function statusOf(
  settings: MoveConfig,
  runbook: Runbook,
  inspection: Inspection,
  names: readonly NameAnswer[],
  now: Temporal.Instant,
): StatusReport {
  const facts = (side: Side) => factsOf(inspection[side]);
  const marks = marksOf(settings.move, inspection);
  const standing = standingOf({ settings, runbook, inspection, now });
  const progress = standing.phase.servers;
  const over = progress.reached === "finished";
  const look = { settings, old: facts("old"), new: facts("new"), done: marks.done };
  const reachable = (side: Side) => !(inspection[side] instanceof Unreachable);
  return {
    ...standing,
    servers: { old: serverOf(settings, inspection, "old"), new: serverOf(settings, inspection, "new") },
    users: usersOf(facts("old"), facts("new"), over, names),
    database: {
      side: databaseSide(settings, marks, facts("new"), reachable("new")),
      error: {
        old: facts("old").get("database.error") || null,
        new: facts("new").get("database.error") || null,
      },
    },
    rollback: wayBack(settings, progress, marks, wayBackIsCut(look)),
    replication: over ? null : (followingNow(look) ?? null),
    names: [...names],
    earliest: { dns: moment(facts("new"), "dns-ttl"), finished: moment(facts("new"), "dns-lead") },
  };
}

function serverOf(settings: MoveConfig, inspection: Inspection, side: Side) {
  const facts = inspection[side];
  const error = facts instanceof Unreachable ? facts.reason : null;
  return { address: settings[side].address, reachable: error === null, error };
}

function usersOf(
  old: Facts,
  fresh: Facts,
  over: boolean,
  names: readonly NameAnswer[],
): StatusReport["users"] {
  const passing = old.get("passing");
  const known = names.filter(({ error }) => error === undefined);
  const byName = known.length > 0 && known.every(({ leads }) => leads === "new");
  const side = over || passing === "yes" || byName ? "new" : passing === "no" ? "old" : "unknown";
  return {
    side,
    through:
      side === "unknown"
        ? "unknown"
        : byName || (side === "old" && known.length > 0)
          ? "names"
          : "old's address",
    maintenancePage: fresh.get("maintenance") === "yes",
  };
}

function databaseSide(
  { database }: Pick<MoveConfig, "database">,
  { done }: Marks,
  fresh: Facts,
  reachable: boolean,
): Side | "unknown" {
  if (!reachable) return "unknown";
  if (database.strategy === "dump") return done("database-switch") ? "new" : "old";
  return fresh.get("users.database") === "new" ? "new" : "old";
}

/** The way back from what is on the servers: where a phase is half done, its undo alone. */
function wayBack(
  settings: MoveConfig,
  { reached, partial }: Progress,
  { done, begun }: Marks,
  isCut: boolean | undefined,
): StatusReport["rollback"] {
  if (begun("finish-old") || reached === "finished") return { address: "", command: "", losesWrites: false };
  const onNew = done("database-switch") || done("database-switchover");
  return {
    address: settings.old.address,
    command: partial ? goBackTo(reached) : rollback({ ...settings, phase: reached }).rollbackCommand,
    losesWrites: onNew && (settings.database.strategy === "dump" || (isCut ?? null)),
  };
}

function moment(facts: Facts, step: string): string | null {
  return isoOf(facts.get(`until.${step}`));
}
