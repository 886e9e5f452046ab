/** Before users come to a copy, every table has as many rows there as on old. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { quote } from "../../components/script.ts";
import { runFunctions } from "./functions.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-counts-"));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ["the same numbers, in another order", "b\t2\na\t1\n", "a\t1\nb\t2\n", ""],
  ["a row that new lacks", "a\t2\n", "a\t1\n", "< a 2;> a 1"],
  ["a row too many on new", "a\t1\n", "a\t2\n", "< a 1;> a 2"],
  ["a table that new lacks", "a\t1\nb\t0\n", "a\t1\n", "< b 0"],
])("%s", async (_what, old, fresh, differs) => {
  writeFileSync(join(folder, "counts.old"), old);
  writeFileSync(join(folder, "counts.new"), fresh);
  const { exitCode, stdout } = await runFunctions(
    ["database/copy.sh"],
    `MOVE=shop STATE=${quote(folder)}`,
    `failure() { printf '%s\\n' "$*"; exit 1; }
compare_counts`,
  );
  expect(exitCode).toBe(differs === "" ? 0 : 1);
  expect(stdout).toContain(differs);
});
