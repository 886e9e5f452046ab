/** What a run came to, and where its time went. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { count, countFile, failures, type TestFile } from "../../tools/results.ts";
import { other, readTimes, spent, timesTable } from "../../tools/timesTable.ts";

const file = (name: string, statuses: readonly string[], more: Partial<TestFile> = {}): TestFile => ({
  ...{ name: resolve(name), status: statuses.includes("failed") ? "failed" : "passed", message: "" },
  ...{ startTime: 1000, endTime: 31_000 },
  assertionResults: statuses.map((status) => ({ status, fullName: "a move ends", failureMessages: ["no"] })),
  ...more,
});
const unread = file("test/b.test.ts", [], { status: "failed", message: "SyntaxError: x\n    at y" });
const results = (...testResults: TestFile[]) => ({
  numPassedTests: 2,
  numFailedTests: 1,
  testResults,
});

describe("the counts of a run", () => {
  it("have a failure for a file that could not be read", () => {
    expect(count(results(unread), false)).toEqual({ passed: 2, failed: 2 });
    expect(countFile(unread)).toEqual({ passed: 0, failed: 1 });
  });

  it("have a failure where there are no results, or vitest failed without a failed test", () => {
    expect(count(undefined, false)).toEqual({ passed: 0, failed: 1 });
    expect(count({ ...results(), numFailedTests: 0 }, false)).toEqual({ passed: 2, failed: 1 });
    expect(count({ ...results(), numFailedTests: 0 }, true)).toEqual({ passed: 2, failed: 0 });
  });

  it("are told file by file, skipped tests in neither", () => {
    expect(countFile(file("x", ["passed", "failed", "skipped", "passed"]))).toEqual({ passed: 2, failed: 1 });
  });

  it("come with what failed, a line each, without the stack", () => {
    expect(failures(results(file("test/a.test.ts", ["passed", "failed"]), unread))).toEqual([
      "failed: test/a.test.ts: a move ends: no",
      "failed: test/b.test.ts: SyntaxError: x",
    ]);
  });
});

describe("a failure in brief", () => {
  it("has the errors of a long output, once each, wherever they stand", () => {
    const steps = (name: string) => Array.from({ length: 40 }, (_, step) => `  step ${name} ${step} done`);
    const failureMessages = [
      [
        "Error: pulumi up to app ended with 1",
        ...steps("before"),
        "  error: the hold lasted longer than it should",
        "  error: the hold lasted longer than it should",
        "  error: update failed",
        ...steps("after"),
        "Duration: 1m",
        "    at here",
      ].join("\n"),
    ];
    const test = { status: "failed", fullName: "a move ends", failureMessages };
    const [line = ""] = failures(results(file("test/a.test.ts", [], { assertionResults: [test] })));
    expect(line).toMatch(/^failed: test\/a\.test\.ts: a move ends: Error: pulumi up to app ended with 1 /);
    expect(line.split("error: the hold lasted longer than it should")).toHaveLength(2);
    expect(line).not.toContain("error: update failed");
    expect(line).toMatch(/Duration: 1m$/);
    expect(line.length).toBeLessThan(800);
  });
});

describe("the table of times", () => {
  let folder = "";
  afterEach(() => {
    if (folder) rmSync(folder, { recursive: true });
    folder = "";
  });

  /** The lines, as the harness and the reporter write them. */
  const written = (...lines: readonly object[]) => {
    folder = mkdtempSync(join(tmpdir(), "changeover-times-"));
    const path = join(folder, "times.jsonl");
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"file":"cut o`);
    return readTimes(path);
  };
  const part = (kind: string, seconds: number, more = {}) => ({
    ...{ file: "test/a.test.ts", kind, detail: "", seconds },
    ...more,
  });

  it("puts each kind into its column, and takes the seconds of a file from its own line", () => {
    const times = written(
      ...[part("boot", 1), part("load", 2), part("install", 3), part("save", 4), part("close", 100)],
      ...[part("pulumi", 20, { steps: { site: 5, "-proxy": 6 } }), part("pulumi", 2)],
      ...[part("server", 7), part("fingerprint", 8), part("settled", 9), part("whole", 60)],
    );
    const [one] = spent(results(file("test/a.test.ts", ["passed"])), times);
    expect(one).toEqual({
      file: "test/a.test.ts",
      seconds: 60,
      parts: {
        ...{ "boot+load": 3, "install+save": 7, pulumi: 22, "of that steps": 11, servers: 15, settled: 9 },
      },
    });
    expect(other(one!)).toBe(4);
  });

  it("takes the seconds from the results where there is no such line, and never says less than nothing", () => {
    const times = written(part("server", 25), part("server", 25));
    const [one] = spent(results(file("test/a.test.ts", ["passed"])), times);
    expect(one).toMatchObject({ seconds: 30, parts: { servers: 50 } });
    expect(other(one!)).toBe(0);
  });

  it("has the slowest file first, and the sum of all last", () => {
    const times = written(
      part("whole", 10),
      part("whole", 30, { file: "test/b.test.ts" }),
      part("settled", 5, { file: "test/b.test.ts" }),
    );
    expect(timesTable(spent(undefined, times))).toEqual([
      "seconds  boot+load  install+save  pulumi  of that steps  servers  settled  other  file",
      "     30          -             -       -              -        -        5     25  test/b.test.ts",
      "     10          -             -       -              -        -        -     10  test/a.test.ts",
      "     40          -             -       -              -        -        5     35  all 2 files",
    ]);
  });

  it("may show the first ones only, with the sum of all", () => {
    const times = written(part("whole", 10), part("whole", 30, { file: "test/b.test.ts" }));
    const lines = timesTable(spent(undefined, times), 1);
    expect(lines.map((line) => line.split("  ").at(-1))).toEqual(["file", "test/b.test.ts", "all 2 files"]);
    expect(lines.at(-1)).toMatch(/^ +40 /);
  });

  it("is empty where nothing was written", () => {
    expect(readTimes("/nowhere/times.jsonl")).toEqual([]);
    expect(spent(undefined, [])).toEqual([]);
  });
});
