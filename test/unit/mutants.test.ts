/** The table of breaks fits the product as it is: each can be made, and its tests are there. */
import { existsSync, readFileSync } from "node:fs";
import { execaSync } from "execa";
import { describe, expect, it } from "vitest";
import { mutants } from "../mutants/mutants.ts";
import { mutated } from "../mutants/mutated.ts";

describe("the breaks", () => {
  it("have names of their own", () => {
    const names = mutants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([]);
  });

  it.each(mutants)("$name applies, is valid, and names its tests", (mutant) => {
    const text = mutated(mutant, readFileSync(mutant.file, "utf8"));
    if (mutant.file.endsWith(".sh")) execaSync("bash", ["-n"], { input: text });
    expect(mutant.tests.length).toBeGreaterThan(0);
    for (const { file } of mutant.tests) expect(existsSync(file), file).toBe(true);
  });

  it("is an error where it no longer applies, or in more than one place", () => {
    const mutant = { name: "a-break", file: "x.sh", find: "old", replace: "new" };
    expect(mutated(mutant, "an old line")).toBe("an new line");
    expect(() => mutated(mutant, "a line")).toThrow(
      "mutant a-break: x.sh should hold its text once, but holds it 0 times",
    );
    expect(() => mutated(mutant, "old old")).toThrow("2 times");
  });
});
