/** Runs the lint, and test files by vitest, for `make test`, `make soak` and `make affected`. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { execa } from "execa";
import { count, type Counts, failures, lastLine, type Results } from "./results.ts";

const inherit = { stdio: ["ignore", "inherit", "inherit"], reject: false } as const;

/** The project of vitest that a test file belongs to. */
export type Project = "unit" | "lab" | "soak";

/** What to run, and where the results go. */
export interface RunArgs {
  readonly projects: readonly Project[];
  /** Test files of these projects; all by default. */
  readonly files?: readonly string[];
  /** Begins the names of the two files below `.changeover` that the run writes: results and times. Empty for `make test`. */
  readonly prefix?: string;
}

/** What came out. */
export interface Run {
  readonly counts: Counts;
  readonly results: Results | undefined;
  /** Where the time of each file went: a file of JSON lines. */
  readonly times: string;
}

/** Whether the lint passes; it prints what is wrong, at its end, for tests may print meanwhile. It counts as one test. */
export async function lint(): Promise<Counts> {
  const { exitCode, all } = await execa("make", ["--no-print-directory", "lint"], {
    stdin: "ignore",
    reject: false,
    all: true,
  });
  if (all !== "") console.log(all);
  if (exitCode !== 0) return { passed: 0, failed: 1 };
  return { passed: 1, failed: 0 };
}

/** Runs test files, and waits for their end. What an earlier run wrote is removed first: it is never taken for this one's. */
export async function runTests({ projects, files = [], prefix = "" }: RunArgs): Promise<Run> {
  const file = resolve(`.changeover/${prefix}tests.json`);
  const times = resolve(`.changeover/${prefix}times.jsonl`);
  mkdirSync(resolve(".changeover"), { recursive: true });
  for (const old of [file, times]) rmSync(old, { force: true });
  const reporters = ["default", "json", "./test/tools/durations.ts"].map((name) => `--reporter=${name}`);
  const { exitCode } = await execa(
    "vitest",
    [
      "run",
      ...projects.map((name) => `--project=${name}`),
      ...reporters,
      `--outputFile.json=${file}`,
      ...files,
    ],
    { ...inherit, env: { CHANGEOVER_TIMES: times } },
  );
  const results = readResults(file);
  return { counts: count(results, exitCode === 0), results, times };
}

/** Prints what failed and the last line, and sets the exit code. */
export function conclude(lintCounts: Counts | undefined, counts: Counts, results: Results | undefined): void {
  for (const line of failures(results)) console.log(line);
  if (lintCounts?.failed) console.log("lint failed: see above, or run make lint");
  const passed = counts.passed + (lintCounts?.passed ?? 0);
  const failed = counts.failed + (lintCounts?.failed ?? 0);
  console.log(lastLine({ passed, failed }));
  process.exitCode = failed === 0 ? 0 : 1;
}

/** What vitest wrote; nothing where it did not come to that. */
export function readResults(file: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch {
    return undefined;
  }
}
