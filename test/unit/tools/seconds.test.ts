/** The order in which test files begin, and the figures that it comes from. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectedSeconds, longestFirst, readSeconds, updated } from "../../tools/seconds.ts";

const seconds = { "test/lab/a.test.ts": 100, "test/lab/b.test.ts": 300, "test/engine/c.test.ts": 200 };

describe("the order of test files", () => {
  it("begins with the longest, has unknown ones in the middle, and unit tests last", () => {
    const files = ["test/unit/x.test.ts", "test/lab/new.test.ts", ...Object.keys(seconds)];
    const inOrder = longestFirst(
      files,
      (file) => expectedSeconds(file, seconds),
      (file) => file,
    );
    expect(inOrder).toEqual([
      "test/lab/b.test.ts",
      "test/engine/c.test.ts",
      "test/lab/new.test.ts",
      "test/lab/a.test.ts",
      "test/unit/x.test.ts",
    ]);
  });

  it("is the same whatever order they come in", () => {
    const one = (name: string) => name;
    expect(longestFirst(["c", "a", "b"], () => 1, one)).toEqual(["a", "b", "c"]);
  });
});

describe("seconds.json", () => {
  it("names files that are there, by name, with figures of a lab's size", () => {
    const known = readSeconds();
    const wrong = Object.entries(known).filter(([file, figure]) => !existsSync(file) || !(figure >= 5));
    const remedy = "move the figure along with its file, or run node test/tools/measured.ts, which drops it";
    expect(wrong, remedy).toEqual([]);
    expect(Object.keys(known)).toEqual(Object.keys(known).toSorted());
  });

  it("keeps what was not measured, and forgets what is gone or short", () => {
    const measured = { "test/lab/a.test.ts": 120.4, "test/unit/short.test.ts": 0.3 };
    const exists = (file: string) => file !== "test/lab/b.test.ts";
    expect(updated(seconds, measured, exists)).toEqual({
      "test/engine/c.test.ts": 200,
      "test/lab/a.test.ts": 120,
    });
  });
});
