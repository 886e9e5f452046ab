/** What a run of vitest came to: how many tests passed and failed, and what failed, in brief. */
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** A test file, as vitest's reporter `json` has it. */
export interface TestFile {
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

/** What vitest's reporter `json` writes. */
export interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly TestFile[];
}

/** How many tests passed and failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** A file that failed before its first test, and a failed run without a failed test, count as one failure each. */
export function count(results: Results | undefined, succeeded: boolean): Counts {
  if (results === undefined) return { passed: 0, failed: 1 };
  const unread = results.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  const failures = results.numFailedTests + unread.length;
  return { passed: results.numPassedTests, failed: failures === 0 && !succeeded ? 1 : failures };
}

/** The same of one file. */
export function countFile({ status, assertionResults }: TestFile): Counts {
  const of = (wanted: string) => assertionResults.filter((test) => test.status === wanted).length;
  const failures = of("failed");
  return { passed: of("passed"), failed: failures === 0 && status === "failed" ? 1 : failures };
}

/** What failed, a line each, with its error in brief: the last lines are what is read first. */
export function failures(results: Results | undefined): string[] {
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

/** The last line of every run. */
export function lastLine({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}

/** The file, from here. */
export function place({ name }: Pick<TestFile, "name">): string {
  return relative(process.cwd(), name);
}

/**
 * How a message begins, the errors in it, and how it ends, in one line, without the stack: what a program printed says there why
 * it failed.
 */
function brief(message: string): string {
  const [text = ""] = stripVTControlCharacters(message).split(/\n\s+at /);
  const line = inLine(text);
  if (line.length <= 1000) return line;
  const errors = text.split("\n").filter((part) => /\berror: (?!update failed)/.test(part));
  return [
    line.slice(0, 200),
    ...new Set(errors.map((part) => inLine(part).slice(-400))),
    line.slice(-400),
  ].join(" ... ");
}

function inLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
