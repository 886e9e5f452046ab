// Runs the lint and every test, and prints `N passed, N failed` as the last line. The lint counts as one test.
import { readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages: readonly string[];
  }[];
}

interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly TestFile[];
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
const results = read();
const counts = count(results, tests.exitCode === 0);
const passed = counts.passed + (lint.exitCode === 0 ? 1 : 0);
const failed = counts.failed + (lint.exitCode === 0 ? 0 : 1);
for (const line of [...slowest(results), ...failures(results)]) console.log(line);
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

/** Where the time went: the ten files that took longest. */
function slowest(results: Results | undefined): string[] {
  return (results?.testResults ?? [])
    .map((file) => ({ place: place(file), seconds: Math.round((file.endTime - file.startTime) / 1000) }))
    .toSorted((one, other) => other.seconds - one.seconds)
    .slice(0, 10)
    .map(({ place, seconds }) => `${String(seconds).padStart(5)} s  ${place}`);
}

/** What failed, a line each, with its error in brief: the last lines are what is read first. */
function failures(results: Results | undefined): string[] {
  return (results?.testResults ?? []).flatMap((file) => {
    const failed = file.assertionResults.filter(({ status }) => status === "failed");
    if (failed.length === 0 && file.status === "failed")
      return [`failed: ${place(file)}: ${brief(file.message)}`];
    return failed.map(
      ({ fullName, failureMessages }) =>
        `failed: ${place(file)}: ${fullName}: ${brief(failureMessages.join(" "))}`,
    );
  });
}

/** The file, from here. */
function place({ name }: TestFile): string {
  return relative(process.cwd(), name);
}

/** How a message begins and ends, in one line, without the stack: what a program printed says at its end why it failed. */
function brief(message: string): string {
  const [text = ""] = stripVTControlCharacters(message).split(/\n\s+at /);
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= 1000 ? line : `${line.slice(0, 200)} ... ${line.slice(-800)}`;
}

function read(): Results | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch {
    return undefined;
  }
}
