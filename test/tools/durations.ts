/** A reporter of vitest's: adds how long each test file took in all, hooks too, to the file that CHANGEOVER_TIMES names. */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import type { Whole } from "./timesTable.ts";

/** Writes a line a file. Vitest's reporter `json` leaves out the hooks, and with them the boot of a lab. */
export default class Durations implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    const file = process.env["CHANGEOVER_TIMES"];
    if (file === undefined) return;
    const { duration, collectDuration, setupDuration, prepareDuration } = module.diagnostic();
    const line: Whole = {
      file: relative(process.cwd(), module.moduleId),
      kind: "whole",
      detail: module.state(),
      seconds: Math.round(duration + collectDuration + setupDuration + prepareDuration) / 1000,
    };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  }
}
