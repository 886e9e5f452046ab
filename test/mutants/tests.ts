/** Runs single tests of a checkout, as vitest's own reporter counts them. */
import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { execa } from "execa";
import type { Finder } from "./mutants.ts";

/** What vitest writes. */
interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** One test, or the whole file where none was reached, that failed. */
export interface Failure {
  file: string;
  title: string;
  /** The first line of what it said. */
  said: string;
}

/** What became of a run. */
export interface Outcome {
  /** Titles of the tests that passed. */
  passed: string[];
  failures: Failure[];
}

/** The longest that a file may take, in seconds: a break may make it wait for every deadline. */
const limit = 1200;

/** Runs a test file, or those of its tests that are asked for. */
export async function runTests(
  checkout: string,
  { project, file, only }: Pick<Finder, "project" | "file" | "only">,
): Promise<Outcome> {
  const results = join(checkout, ".changeover/mutant.json");
  rmSync(results, { force: true });
  const run = await execa(
    join(checkout, "setup/with"),
    [
      ...["vitest", "run", "--project", project, file],
      // On servers a test begins where the one before has ended.
      ...(project === "unit" ? [] : ["--bail=1"]),
      ...["--reporter=json", `--outputFile.json=${results}`],
      ...(only === undefined ? [] : ["-t", only]),
    ],
    { cwd: checkout, reject: false, all: true, timeout: limit * 1000, forceKillAfterDelay: 60_000 },
  );
  if (run.timedOut)
    return { passed: [], failures: [{ file, title: "", said: `it took longer than ${limit} seconds` }] };
  const outcome = read(checkout, results);
  if (!outcome) throw new Error(`${file} could not be run:\n${run.all.split("\n").slice(-20).join("\n")}`);
  if (outcome.passed.length === 0 && outcome.failures.length === 0)
    throw new Error(`${file}: no test has a title with '${only ?? ""}'`);
  return outcome;
}

function read(checkout: string, file: string): Outcome | undefined {
  let results: Results;
  try {
    results = JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch {
    return undefined;
  }
  const outcome: Outcome = { passed: [], failures: [] };
  for (const { name, status, message, assertionResults } of results.testResults) {
    const place = relative(checkout, name);
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === "passed") outcome.passed.push(fullName);
      if (status === "failed")
        outcome.failures.push({ file: place, title: fullName, said: firstLine(failureMessages.join("\n")) });
    }
    // What fails ahead of the first test, or behind the last one, is no test's own.
    if (status === "failed" && outcome.failures.length === 0)
      outcome.failures.push({ file: place, title: "", said: firstLine(message) });
  }
  return outcome;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]!.slice(0, 300);
}
