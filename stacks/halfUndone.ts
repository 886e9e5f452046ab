/** Finds the steps whose way back was cut off, where the move is to go on forward: Pulumi takes them for done. */
import { type Inspection, lines, Unreachable } from "../components/facts/inspect.ts";
import type { Finding } from "../components/guards/guards.ts";
import { sides } from "../components/server.ts";
import { reachedIn, type Runbook } from "./runbook.ts";

/** The steps up to the phase of the settings that are undone in part, each with the way on. */
export function halfUndone<P extends string>(
  runbook: Runbook<P>,
  { phase }: { phase: P | "idle" },
  inspection: Inspection,
): Finding[] {
  const phases = Object.keys(runbook) as P[];
  return sides.flatMap((side) => {
    const facts = inspection[side];
    const cut = new Set(facts instanceof Unreachable ? [] : lines(facts, "halfUndone"));
    return reachedIn(runbook, phase).flatMap((reached) =>
      runbook[reached]
        .filter((step) => step.side === side && cut.has(step.name))
        .map(({ name }) => ({
          place: `${side}, step ${name}`,
          rule: `is done as a whole in phase '${phase}'`,
          value: "its way back was cut off, and has undone a part of it",
          remedy: `end the way back first: pulumi config set changeover:phase ${phases[phases.indexOf(reached) - 1] ?? "idle"}, and 'pulumi up'; then forward again`,
        })),
    );
  });
}
