/** What will happen, for people: steps in order with side, expected time and way back. */
import { forPeople } from "../components/duration.ts";
import type { Facts, Inspection } from "../components/facts/inspect.ts";
import type { Step } from "../components/step.ts";
import { pageSeconds, restartPageSeconds } from "../components/database/database.ts";
import { usesPooler } from "../components/site.ts";
import type { MoveConfig } from "./config.ts";
import { servedBy } from "./outputs.ts";
import { doneSteps, factsOfOld, stepSeconds } from "./plan.ts";
import { reachedIn, type Runbook } from "./runbook.ts";

/** What a run sheet says beside its steps. */
export interface SheetText<P extends string> {
  head: string;
  /** What an operator must know of a phase. */
  notes: (phase: P) => string;
  end: string;
}

/** The run sheet of a move. */
export function runSheet(runbook: Runbook, settings: MoveConfig, inspection: Inspection): string {
  const old = factsOfOld(inspection);
  const { side, way } = servedBy(settings);
  return sheetOf(runbook, settings, inspection, {
    head: `Run sheet of move ${settings.move}: ${settings.old.address} (old) to ${settings.new.address} (new), phase ${settings.phase}`,
    notes: (phase) => notes(phase, settings, old),
    end: `Users are served by ${side}${way} when this is done. ${wayBack(settings)}`,
  });
}

/** The run sheet of any runbook. */
export function sheetOf<P extends string>(
  runbook: Runbook<P>,
  { move, phase }: { move: string; phase: P | "idle" },
  inspection: Inspection,
  { head, notes, end }: SheetText<P>,
): string {
  const old = factsOfOld(inspection);
  const reached: readonly string[] = reachedIn(runbook, phase);
  const isDone = doneSteps(move, inspection);
  const body = (Object.keys(runbook) as P[]).flatMap((name) => [
    `  ${name}${reached.includes(name) ? "" : "  (not now)"}${notes(name)}`,
    ...runbook[name].map((step) => line(step, isDone(step), reached.includes(name), old)),
  ]);
  return [head, ...body, `  ${end}`].join("\n");
}

/** One step's line: mark, side, title, expected time, way back. */
function line(step: Step, done: boolean, reached: boolean, old: Facts): string {
  const mark = reached ? (done ? "=" : "+") : done ? "-" : " ";
  const time = step.expectedSeconds ? `about ${forPeople(stepSeconds(step, old))}` : "";
  return `   ${mark} ${step.side}  ${step.name.padEnd(18)} ${step.title}${time ? ` (${time})` : ""}; back: ${step.back}`;
}

/** What an operator must know of a phase. */
function notes(phase: string, settings: MoveConfig, old: Facts): string {
  if (phase === "app") {
    const restart = restartPageSeconds(settings, old);
    const page = `; then users see the maintenance page for about ${forPeople(restart)}, while PostgreSQL on old restarts`;
    return `  -- requests wait for about 1 s, at most ${forPeople(settings.holdBudget)}; none fails${restart > 0 ? page : ""}`;
  }
  if (phase === "database" && usesPooler(settings))
    return `  -- statements wait for well under 1 s, at most ${forPeople(settings.holdBudget)}; none fails`;
  if (phase === "database")
    return `  -- users see the maintenance page for about ${forPeople(pageSeconds(settings, old))}`;
  if (phase === "dns" && !settings.dns && !settings.aws?.elasticIp)
    return "  -- nothing to do: the site's names are left alone (changeover:dns is not set)";
  if (phase === "finished") return "  -- POINT OF NO RETURN";
  return "";
}

/** The way back from the phase, in a sentence. */
function wayBack({ phase, database }: MoveConfig): string {
  if (phase === "idle") return "There is nothing to go back from.";
  if (phase === "finished") return "There is no way back from here.";
  if (database.strategy === "dump" && (phase === "database" || phase === "dns"))
    return "Going back from the database phase loses what was written on new: it is refused until you accept that.";
  return "Going back loses nothing.";
}
