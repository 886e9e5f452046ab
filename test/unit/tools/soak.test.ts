/** The parts of the soak tests, and what is kept of their runs. */
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { readSeconds } from "../../tools/seconds.ts";
import { describeShards, parseShard, shardsOf, soakFiles, usualShards } from "../../tools/shards.ts";
import { type SoakRecord, withOutcome } from "../../tools/soakRecord.ts";

describe("the parts of the soak tests", () => {
  const seconds = { a: 1000, b: 700, c: 600, d: 100 };

  it("are filled with the longest file first, each into the shortest part", () => {
    expect(shardsOf(["d", "c", "new", "b", "a"], seconds, 2)).toEqual([
      { name: "1/2", files: ["a", "new", "d"], seconds: 1400 },
      { name: "2/2", files: ["b", "c"], seconds: 1300 },
    ]);
  });

  it("have every file once, whatever their number", () => {
    for (const count of [1, 2, usualShards, 50]) {
      const shards = shardsOf(soakFiles(), readSeconds(), count);
      expect(shards).toHaveLength(count);
      expect(shards.flatMap(({ files }) => files).toSorted()).toEqual(soakFiles());
    }
  });

  it("are printed with what each file takes", () => {
    expect(describeShards(shardsOf(["a", "new"], seconds, 2), seconds)).toEqual([
      "make soak SHARD=1/2  1000 s",
      "    1000 s  a",
      "make soak SHARD=2/2  300 s",
      "     300 s  new, never measured",
    ]);
  });

  it("are named by part and number", () => {
    expect(parseShard("2/6")).toEqual({ part: 2, count: 6 });
    for (const wrong of ["7/6", "0/6", "2", "2/6 ", "-1/6", "a/b"])
      expect(() => parseShard(wrong)).toThrow(/^SHARD=.*: should be a part and the number of parts, as 2\/6/);
  });
});

describe("the record of the soak tests", () => {
  const began = { ran: "2026-11-22T02:00:00.000Z", commit: "abc", dirty: true };
  const earlier = { ...began, commit: "old", passed: 9, failed: 0, seconds: 1, result: "passed" as const };
  const record: SoakRecord = {
    shards: { "1/2": { ...earlier, files: ["a"] }, "2/2": { ...earlier, files: ["d"] } },
    files: { a: earlier, d: earlier },
  };
  const test = (status: string) => ({ status, fullName: "x", failureMessages: [] });
  const results = {
    ...{ numPassedTests: 1, numFailedTests: 0 },
    testResults: [
      { name: resolve("a"), status: "passed", message: "", startTime: 0, endTime: 9000 },
      { name: resolve("b"), status: "failed", message: "no", startTime: 0, endTime: 0 },
    ].map((file) => ({ ...file, assertionResults: file.status === "passed" ? [test("passed")] : [] })),
  };

  it("has the last run of each part and file, and keeps what was not run", () => {
    const now = withOutcome(record, {
      ...{ shard: { name: "1/2", files: ["a", "b", "lost"] }, began, seconds: 12.4 },
      ...{ counts: { passed: 1, failed: 2 }, results },
      spent: [{ file: "a", seconds: 10.2, parts: {} as never }],
    });
    expect(now).toEqual({
      shards: {
        "1/2": {
          ...began,
          ...{ passed: 1, failed: 2, seconds: 12, result: "failed", files: ["a", "b", "lost"] },
        },
        "2/2": record.shards["2/2"],
      },
      files: {
        a: { ...began, passed: 1, failed: 0, seconds: 10, result: "passed" },
        b: { ...began, passed: 0, failed: 1, seconds: 0, result: "failed" },
        lost: { ...began, passed: 0, failed: 1, seconds: 0, result: "failed" },
        d: earlier,
      },
    });
  });
});
