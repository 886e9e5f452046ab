/** Rows that only new has are lost by the way back of a dump: no more of them than the operator has agreed to. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { quote } from "../../components/script.ts";
import { runFunctions } from "./functions.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-consent-"));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ["none were written", 0, undefined, true],
  ["nobody has agreed", 1, undefined, false],
  ["fewer were agreed to", 8, 7, false],
  ["just so many were agreed to", 7, 7, true],
  ["more were agreed to", 6, 7, true],
])("where %s", async (_what, rows, agreed, goesBack) => {
  rmSync(join(folder, "consent"), { force: true });
  if (agreed !== undefined) writeFileSync(join(folder, "consent"), String(agreed));
  const { exitCode, stdout } = await runFunctions(
    ["database/switch/undo.sh"],
    `ROOT=${quote(folder)}`,
    `failure() { printf '%s\\n' "$*"; exit 1; }
refuse_lost_writes ${rows}`,
  );
  expect(exitCode).toBe(goesBack ? 0 : 1);
  expect(stdout.includes(`changeover:acceptLostWrites ${rows}`)).toBe(!goesBack);
});
