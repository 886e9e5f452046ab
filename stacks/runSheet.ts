/** What will happen, for people: steps in order with side, expected time and way back. */
import { forPeople } from "../components/duration.ts";
import { type Facts, type Inspection, lines, Unreachable } from "../components/facts/inspect.ts";
import type { Step } from "../components/step.ts";
import { pageSeconds } from "../components/database/database.ts";
import type { MoveConfig } from "./config.ts";
import { phaseNumber, type Runbook } from "./runbook.ts";

/** Seconds that one step takes beside its own work: connection, lock, verify. */
const secondsPerStep = 0.5;

/** The run sheet of a move. */
export function runSheet(runbook: Runbook, settings: MoveConfig, inspection: Inspection): string {
  const old = inspection.old instanceof Unreachable ? new Map<string, string>() : inspection.old;
  const done = new Set(
    [inspection.old, inspection.new].flatMap((facts) =>
      facts instanceof Unreachable ? [] : lines(facts, "done"),
    ),
  );
  const target = phaseNumber(settings.phase);
  const isDone = (step: Step) => done.has(`${settings.move}/${step.name}`);
  const body = Object.entries(runbook).flatMap(([phase, steps], index) => [
    `  ${phase}${index + 1 <= target ? "" : "  (not now)"}${notes(phase, settings, old)}`,
    ...steps.map((step) => line(step, isDone(step), index + 1 <= target, old)),
  ]);
  return [
    `Run sheet of move ${settings.move}: ${settings.old.address} (old) to ${settings.new.address} (new), phase ${settings.phase}`,
    ...body,
    `  Users are served by ${target >= phaseNumber("app") ? "new, through old's address" : "old"} when this is done. ${wayBack(settings)}`,
  ].join("\n");
}

/** One step's line: mark, side, title, expected time, way back. */
function line(step: Step, done: boolean, reached: boolean, old: Facts): string {
  const mark = reached ? (done ? "=" : "+") : done ? "-" : " ";
  const seconds = secondsPerStep + (step.expectedSeconds?.(old) ?? 0);
  const time = step.expectedSeconds ? `about ${forPeople(seconds)}` : "";
  return `   ${mark} ${step.side}  ${step.name.padEnd(18)} ${step.title}${time ? ` (${time})` : ""}; back: ${step.back}`;
}

/** What an operator must know of a phase. */
function notes(phase: string, settings: MoveConfig, old: Facts): string {
  if (phase === "app")
    return `  -- requests wait for about 1 s, at most ${forPeople(settings.holdBudget)}; none fails`;
  if (phase === "database" && settings.database.strategy === "replicate")
    return `  -- statements wait for well under 1 s, at most ${forPeople(settings.holdBudget)}; none fails`;
  if (phase === "database")
    return `  -- users see the maintenance page for about ${forPeople(pageSeconds(old))}`;
  if (phase === "dns") return "  -- nothing to do: changeover does not change DNS in this version";
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
