/** Whether tests were lost: what is found in their text, and what is told of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../../tools/collect.ts";
import { collectAll, gone, tiersOf, tierTable } from "../../tools/lost.ts";
import { readTree } from "../../tools/revisions.ts";
import { mostSimilar } from "../../tools/similar.ts";

const texts = (found: readonly { text: string }[]) => found.map(({ text }) => text);
const titles = (text: string) => texts(collect("a.test.ts", text).titles);
const assertions = (text: string) => texts(collect("a.test.ts", text).assertions);

describe("the titles", () => {
  it.each([
    ['it("moves", () => {});', ['"moves"']],
    ["it.each([[1]])(`from ${x}`, () => {});", ["`from ${x}`"]],
    ['describe.runIf(isRoot)("a fork", { timeout: 1 }, () => { test("idle", f); });', ['"a fork"', '"idle"']],
    ["it.each`a | b`('%s', () => {});", ["'%s'"]],
    ["it(name, () => {});", ["name"]],
    ['it.todo("later");', ['"later"']],
    ['it.skipIf(a, b)("x", () => {});', ['"x"']],
    ['/x/.test("a", 1); audit("x", () => {}); shop.it("x", 1);', []],
  ])("of %s", (text, found) => {
    expect(titles(text)).toEqual(found);
  });
});

describe("the assertions", () => {
  it.each([
    ["expect(a).toBe(1);", ["expect(a).toBe(1)"]],
    ["await expect(f()).rejects.toThrow(/x/);", ["expect(f()).rejects.toThrow(/x/)"]],
    ["expect.soft(a, b).not.toBe(1);", ["expect.soft(a,b).not.toBe(1)"]],
    ["expect(a).toEqual(expect.objectContaining({ b: expect.any(String) }));", 1],
    ["expect.poll(() => f(), { interval: 1 }).toBe(1);", ["expect.poll(()=>f(),{interval:1}).toBe(1)"]],
    ["expectUnchanged(a, b); this.expectServedBy(x);", ["expectUnchanged(a,b)", "this.expectServedBy(x)"]],
    ["function expectOne(a: number) { expect(a).toBe(1); }", ["expect(a).toBe(1)"]],
    ["expect.fail('no');", 1],
    ["expected(a); expect.getState(); unexpect(a);", []],
    ["expect.poll(async () => { expect(a).toBe(1); }).toBe(2);", 2],
  ])("of %s", (text, found) => {
    if (typeof found === "number") expect(assertions(text)).toHaveLength(found);
    else expect(assertions(text)).toEqual(found);
  });

  it("are the same however they are laid out", () => {
    const one = "expect(a, b).toEqual({ c: [1, 2] });";
    const other = "expect(\n  a, // why\n  b,\n).toEqual({\n  c: [\n 1,\n 2,\n ],\n});";
    expect(assertions(other)).toEqual(assertions(one));
  });
});

describe("what is gone", () => {
  const at = (file: string, text: string) => ({ file, text });

  it("is what there was more often before, wherever it stands now", () => {
    const before = [at("a", "x"), at("a", "x"), at("b", "x"), at("a", "y")];
    expect(gone(before, [at("c", "y"), at("a", "x"), at("c", "x")])).toHaveLength(1);
    expect(gone(before, [...before].reverse())).toEqual([]);
    expect(gone([at("a", "x"), at("b", "x")], [at("a", "x")])).toEqual([at("b", "x")]);
    expect(gone([at("a", "x"), at("b", "x")], [at("b", "x")])).toEqual([at("a", "x")]);
  });

  it("may have been reworded", () => {
    const added = [at("a", "expect(lab.one).toBe(7)"), at("b", "expect(shop.rows).toEqual([])")];
    expect(mostSimilar(at("a", "expect(one).toBe(7)"), added)).toBe(added[0]);
    expect(mostSimilar(at("a", "expectUnchanged(before,after)"), added)).toBeUndefined();
  });
});

describe("the tiers", () => {
  const assertion = "expect(a).toBe(1);";
  const tree = new Map([
    ["test/lab/both.ts", assertion],
    ["test/lab/a.test.ts", `import { x } from "./both.ts"; ${assertion} ${assertion}`],
    ["test/soak/a.test.ts", `import { x } from "../lab/both.ts"; ${assertion}`],
    ["test/soak/helper.ts", ""],
    ["test/lab/lost.ts", assertion],
    ["demo/shop.ts", ""],
  ]);

  it("are those of the tests that use a helper", () => {
    expect([...tree.keys()].map(tiersOf(tree))).toEqual([
      ...["both", "make test", "make soak", "neither", "neither", "neither"],
    ]);
  });

  it("come as a table, folder by folder", () => {
    const { assertions } = collectAll(tree);
    expect(tierTable(assertions.slice(1), assertions, tiersOf(tree))).toEqual([
      "assertions in   before  now  make test  make soak  both  neither",
      "test/lab             3    4          2          -     1        1",
      "test/soak            1    1          -          1     -        -",
      "all                  4    5          2          1     1        1",
    ]);
  });
});

describe("a revision", () => {
  let folder = "";
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd: folder });
  const program = join(import.meta.dirname, "../../tools/assertions.ts");
  const run = (...args: string[]) => execa("node", [program, ...args], { cwd: folder, reject: false });
  const write = (name: string, text: string) => writeFileSync(join(folder, "test", name), text);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "changeover-assertions-"));
    mkdirSync(join(folder, "test"));
    await git("init", "--quiet");
    write("a.test.ts", 'it("öne", () => { expect(1).toBe(1);\n\n expect(2).toBe(2); });\n\n');
    write("b.test.ts", 'it("two", () => expect(2).toBe(2));');
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "first");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("has its files as they were, to the byte", async () => {
    const now = await readTree(undefined, folder);
    expect(now.size).toBe(2);
    expect(await readTree("HEAD", folder)).toEqual(now);
  });

  it("is compared with the files of now: 0 where nothing is gone, 1 where something is, 2 where there is none", async () => {
    expect(await run("HEAD")).toMatchObject({ exitCode: 0 });
    write("a.test.ts", 'it("ones", () => { expect(2).toBe(2); });');
    const { exitCode, stdout } = await run("HEAD");
    expect(exitCode).toBe(1);
    expect(stdout.split("\n")).toEqual([
      'title gone: test/a.test.ts: "öne"',
      "assertion gone: test/a.test.ts: expect(1).toBe(1)",
      ...tierTable([], [], () => "neither").slice(0, 1),
      "test/a.test.ts       2    1          1          -     -        -",
      "test/b.test.ts       1    1          1          -     -        -",
      "all                  3    2          2          -     -        -",
      "titles: 2 before, 2 now, 1 gone",
      "assertions: 3 before, 2 now, 1 gone",
    ]);
    expect(await run("HEAD", "HEAD")).toMatchObject({ exitCode: 0 });
    expect(await run()).toMatchObject({ exitCode: 2 });
    expect(await run("nowhere")).toMatchObject({ exitCode: 2 });
  });
});
