// The servers of a fork in tests: a folder, with a mark for each step that is done on old and on its copy.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Facts, type Inspection, type Reached, Unreachable } from "../../../components/facts/inspect.ts";
import type { Side } from "../../../components/server.ts";
import type { ForkConfig } from "../../../stacks/config.ts";

/** The steps that are done on a side. */
export function stepsOn(folder: string, side: Side): string[] {
  return existsSync(join(folder, side)) ? readdirSync(join(folder, side)) : [];
}

/** What an inspection would find: the marks of steps, and what users have written on the copy. */
function facts(folder: string, settings: ForkConfig, side: Side): Facts {
  const written = join(folder, "written");
  const marks = stepsOn(folder, side)
    .map((name) => `${settings.move}/${name}`)
    .join("\n");
  return new Map([
    ["user", "0"],
    ["done", marks],
    ["begun", marks],
    ...settings.site.jobs.map((unit): [string, string] => [`unit.${unit}`, "loaded"]),
    ...(side === "new" && existsSync(written)
      ? [["written", readFileSync(written, "utf8").trim()] as const]
      : []),
    ...(settings.fork.database.name ? [["databases", settings.fork.database.name] as const] : []),
  ]);
}

/** Looks at those that are asked; a copy that is dead does not answer. */
export function lookAtFolder(folder: string) {
  return (settings: ForkConfig, { old, new: fresh }: Reached): Promise<Partial<Inspection>> =>
    Promise.resolve({
      ...(old ? { old: facts(folder, settings, "old") } : {}),
      ...(fresh
        ? {
            new: existsSync(join(folder, "dead"))
              ? new Unreachable("Connection timed out")
              : facts(folder, settings, "new"),
          }
        : {}),
    });
}
