/** The table of `make affected` fits the files that are there, and CONTRIBUTING.md fits the table. */
import { readFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import { describe, expect, it } from "vitest";
import { everything, rows } from "../../tools/affected.ts";
import { readCheckout } from "../../tools/changes.ts";
import { withTable } from "../../tools/contributingTable.ts";
import { isTest, matches, testsOf } from "../../tools/globs.ts";

const { files } = await readCheckout();
const sources = files.filter((file) => !isTest(file) && !file.endsWith(".md"));
const patterns = [...rows.flatMap(({ paths }) => paths), ...everything];

describe("the table of affected.ts", () => {
  it("reaches every test", () => {
    const reached = new Set(rows.flatMap(({ tests }) => tests).flatMap((entry) => testsOf(entry, files)));
    expect(files.filter((file) => isTest(file) && !reached.has(file))).toEqual([]);
    expect(reached.size).toBeGreaterThan(80);
  });

  it("names no test that is not there", () => {
    const entries = [...new Set(rows.flatMap(({ tests }) => tests))];
    expect(entries.filter((entry) => testsOf(entry, files).length === 0)).toEqual([]);
  });

  it("names no file that is not there", () => {
    const gone = patterns.filter((pattern) => {
      const positive = pattern.replace(/^!/, "");
      return !files.some((file) => matches(file, [positive]));
    });
    expect(gone).toEqual([]);
  });

  it("names every file, by a row or as one that every test stands on; a helper of tests by what uses it", () => {
    const isHelper = (file: string) => /^test\/(unit|lab|soak|journeys)\//.test(file);
    const missing = sources.filter(
      (file) =>
        !isHelper(file) && !matches(file, everything) && !rows.some(({ paths }) => matches(file, paths)),
    );
    expect(missing).toEqual([]);
  });

  it("names every file of components by its noun, too, not only by its kind", () => {
    const general = /^(components|\{stacks,components,cli\})\/\*\*?\//;
    const named = rows.map(({ paths }) => paths.filter((path) => !general.test(path)));
    const missing = sources
      .filter((file) => file.startsWith("components/") && !file.endsWith(".shellcheckrc"))
      .filter((file) => !named.some((paths) => matches(file, paths)));
    expect(missing).toEqual([]);
  });
});

describe("CONTRIBUTING.md", () => {
  const file = "CONTRIBUTING.md";
  const text = readFileSync(file, "utf8");

  it("has the table of affected.ts", async () => {
    const config = await resolveConfig(file);
    const made = await format(withTable(text, files), { ...config, filepath: file });
    expect(text, "run make docs").toBe(made);
  });

  it("loses nothing else when the table is made anew, and says which marks are missing", () => {
    const [before, after] = ["# Title\n", "\n## Next\n"];
    const marks = text.match(/<!--.*-->/g)!;
    const made = withTable(`${before}${marks[0]}\nold\n${marks[1]}${after}`, files);
    expect(made.startsWith(before) && made.endsWith(after)).toBe(true);
    expect(made).not.toContain("old\n");
    expect(made).toMatch(/\| a script in `components` +\| [^|]*`steps\*`[^|]*\| [^|]*`kills\*`[^|]*\|/);
    expect(() => withTable(before, files)).toThrow(/should have the marks <!-- made of/);
  });
});
