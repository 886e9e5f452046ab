/** Checks whether users have left old, and so whether the move may be finished. */
import { type Inspection, Unreachable } from "../components/facts/inspect.ts";
import type { Finding } from "../components/guards/guards.ts";
import { checkStragglers } from "../components/stragglers/guard.ts";
import type { MoveConfig } from "./config.ts";
import { marksOf } from "./progress.ts";

/** Who still comes to old; told from phase dns on, and nothing once the move is over. */
export function stragglerFindings(
  settings: MoveConfig,
  inspection: Inspection,
  rehearsal: boolean,
): Finding[] {
  const { phase, move, dns, stragglers } = settings;
  const { old, new: fresh } = inspection;
  if (old instanceof Unreachable || fresh instanceof Unreachable) return [];
  if (phase !== "dns" && phase !== "finished") return [];
  const { done } = marksOf(move, inspection);
  if (done("finish-new") || done("finish-old")) return [];
  const until = fresh.get("until.dns-lead");
  return checkStragglers(stragglers, old, fresh, {
    willFinish: phase === "finished",
    rehearsal,
    // Without changeover:dns somebody has led the names away by hand: from when on is not known.
    ledAway: dns ? (until === undefined ? undefined : Number(until)) : 0,
  });
}
