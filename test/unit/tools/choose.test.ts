/** Which tests a change touches, and what counts as a change. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changedSince, readCheckout, usualBase } from "../../tools/changes.ts";
import { choose, describePick, testsIn } from "../../tools/choose.ts";
import { namedBy, testsUsing } from "../../tools/imports.ts";

const tree = new Map([
  ["demo/shop.ts", 'import { x } from "../test/engine/pulumi.ts";'],
  ["test/engine/pulumi.ts", "export const x = 1;"],
  ["test/engine/pulumi.test.ts", 'const program = join(import.meta.dirname, "program");'],
  ["test/engine/program/Pulumi.yaml", ""],
  ["test/lab/helper.ts", 'readFileSync(join(import.meta.dirname, "ledger.py"))'],
  ["test/lab/ledger.py", ""],
  ["test/lab/lonely.py", ""],
  ["test/lab/names.test.ts", 'import { openShop } from "../../demo/shop.ts";'],
  ["test/lab/zoo.test.ts", 'import { help } from "./helper.ts";'],
  ["test/soak/zoo.test.ts", "import { help } from '../lab/helper.ts';"],
  ["test/unit/cron.test.ts", ""],
]);
const files = [...tree.keys(), "components/dns/records.sh", "components/fork/copy/do.sh"];
const chosen = (...changed: string[]) => testsIn(choose(changed, { files, tree }), files);
const all = files.filter((file) => file.endsWith(".test.ts")).toSorted();

describe("who uses a file", () => {
  it.each([
    ["test/lab/ledger.py", ["test/lab/zoo.test.ts", "test/soak/zoo.test.ts"]],
    ["test/engine/pulumi.ts", ["test/lab/names.test.ts"]],
    ["test/engine/program/Pulumi.yaml", ["test/engine/pulumi.test.ts"]],
    ["test/lab/zoo.test.ts", ["test/lab/zoo.test.ts"]],
    ["test/lab/lonely.py", []],
  ])("%s", (file, tests) => {
    expect(testsUsing(file, namedBy(tree))).toEqual(tests);
  });
});

describe("make affected", () => {
  it.each([
    [
      "a script, by its rows",
      "components/dns/records.sh",
      ["test/lab/names.test.ts", "test/unit/cron.test.ts"],
    ],
    ["a script that its general row leaves out", "components/fork/copy/do.sh", []],
    ["a test itself, and no row of its folder", "test/engine/pulumi.test.ts", ["test/engine/pulumi.test.ts"]],
    ["a test that is gone", "test/lab/gone.test.ts", []],
    [
      "a helper, by the tests that use it",
      "test/lab/helper.ts",
      ["test/lab/zoo.test.ts", "test/soak/zoo.test.ts"],
    ],
    ["a helper that nothing uses", "test/lab/lonely.py", all],
    ["what no row names", "Dockerfile", all],
    ["what every test stands on", "lab/up", all],
    ["what only the lint reads", "eslint.config.js", []],
  ])("%s", (_, changed, tests) => {
    expect(chosen(changed)).toEqual(tests);
  });

  it("takes the tests of all changes together, each once", () => {
    expect(chosen("test/lab/helper.ts", "test/lab/ledger.py", "test/unit/cron.test.ts")).toEqual([
      ...["test/lab/zoo.test.ts", "test/soak/zoo.test.ts", "test/unit/cron.test.ts"],
    ]);
    expect(chosen()).toEqual([]);
  });

  it("says what it chose and why", () => {
    const changed = ["Dockerfile", "components/dns/records.sh", "test/lab/zoo.test.ts"];
    expect(choose(changed, { files, tree }).map(describePick)).toEqual([
      "a script in components (components/dns/records.sh): test/unit/cron",
      "components/dns, window, notices (components/dns/records.sh): test/lab/names",
      "tests (test/lab/zoo.test.ts): test/lab/zoo",
      "what no row names (Dockerfile): everything",
    ]);
  });
});

describe("what has changed", () => {
  let folder = "";
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd: folder });
  const write = (file: string, text: string) => {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  const commit = async (message: string) => {
    await git("add", "--all");
    await git("commit", "--quiet", "--message", message);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "changeover-git-"));
    await git("init", "--quiet", "--initial-branch=main");
    for (const file of ["same", "changed", "staged", "old name", "test/gone.ts", "test/kept.ts"])
      write(file, file);
    await commit("first");
    await git("switch", "--quiet", "--create", "work");
    write("committed", "x");
    await commit("second");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is what was committed since, what was not, what git does not know, and both names of what moved", async () => {
    write("changed", "x");
    write("staged", "x");
    await git("add", "staged");
    renameSync(join(folder, "old name"), join(folder, "näme"));
    await git("add", "old name", "näme");
    rmSync(join(folder, "test/gone.ts"));
    const changed = ["changed", "committed", "näme", "old name", "staged", "test/gone.ts"];
    expect(await changedSince("main", folder)).toEqual(changed);
    const { files, tree } = await readCheckout(folder);
    expect(files.toSorted()).toEqual(["changed", "committed", "näme", "same", "staged", "test/kept.ts"]);
    expect([...tree]).toEqual([["test/kept.ts", "test/kept.ts"]]);
  });

  it("counts from where the branch left main; on main, from the commit before", async () => {
    const first = (await git("rev-parse", "main")).stdout;
    expect(await usualBase(folder)).toBe(first);
    await git("branch", "--force", "main", "work");
    expect(await usualBase(folder)).toBe(first);
  });

  it("says that a base is none, and that there is none", async () => {
    await expect(changedSince("--all", folder)).rejects.toThrow(/^BASE=--all: git knows no such commit/);
    await git("branch", "--force", "main", "main~1");
    await git("checkout", "--quiet", "--force", "main");
    await expect(usualBase(folder)).rejects.toThrow(/make affected BASE=REVISION/);
  });
});
