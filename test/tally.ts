// Runs the lint and every test, and prints `N passed, N failed` as the last line. The lint counts as one test.
import { readFileSync, rmSync } from "node:fs";
import { execa } from "execa";

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

const file = ".changeover/tests.json";
const inherit = { stdio: ["ignore", "inherit", "inherit"], reject: false } as const;

const lint = await execa("make", ["--no-print-directory", "lint"], inherit);
rmSync(file, { force: true });
const tests = await execa(
  "vitest",
  [
    "run",
    "--project=unit",
    "--project=lab",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
  ],
  inherit,
);
const counts = count(read(), tests.exitCode === 0);
const passed = counts.passed + (lint.exitCode === 0 ? 1 : 0);
const failed = counts.failed + (lint.exitCode === 0 ? 0 : 1);
if (lint.exitCode !== 0) console.log("lint failed: see above, or run make lint");
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** A file that failed before its first test, and a failed run without a failed test, count as one failure each. */
function count(results: Results | undefined, succeeded: boolean): { passed: number; failed: number } {
  if (results === undefined) return { passed: 0, failed: 1 };
  const unread = results.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  const failures = results.numFailedTests + unread.length;
  return { passed: results.numPassedTests, failed: failures === 0 && !succeeded ? 1 : failures };
}

function read(): Results | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch {
    return undefined;
  }
}
