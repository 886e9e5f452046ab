/** What every step's script relies on: originals that are saved once, records that are whole, and locks. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { quote } from "../../components/script.ts";
import { runFunctions } from "./functions.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-library-"));
const state = join(folder, "state");
const site = join(folder, "site");
const file = join(site, "file");
beforeEach(() => {
  for (const place of [state, site]) {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs commands with a step's library; each call is a run of its own. */
const run = (commands: string) =>
  runFunctions(
    ["shell/lib.sh", "shell/keep.sh"],
    `MOVE=unit-${process.pid} STEP=step SIDE=old DEADLINE=6`,
    `STATE=${quote(state)}
note() { printf '%s\\n' "$*"; }
die() { printf '%s\\n' "$*"; exit 1; }
${commands}`,
  );

describe("a path that a step changes", () => {
  const change = `save_path ${quote(file)}; printf changed >${quote(file)}`;

  it("is what it was after the undo, however often the step ran", async () => {
    writeFileSync(file, "original");
    await run(change);
    await run(change);
    await run("restore_saved");
    expect(readFileSync(file, "utf8")).toBe("original");
  });

  it("is gone again where it was not there", async () => {
    await run(change);
    await run(change);
    await run("restore_saved");
    expect(readdirSync(site)).toEqual([]);
  });
});

describe("a record", () => {
  it("is whole or not there", async () => {
    await run("keep record eval 'printf half; exit 1'");
    expect(readdirSync(state)).not.toContain("record");
    await run("keep record printf whole");
    expect(readFileSync(join(state, "record"), "utf8")).toBe("whole");
  });

  it("of what was before a step is the first one", async () => {
    await run("keep_first record printf first");
    await run("keep_first record printf second");
    expect(readFileSync(join(state, "record"), "utf8")).toBe("first");
  });
});

describe.runIf(existsSync("/run/lock"))("the lock of a move", () => {
  const lock = `/run/lock/changeover-unit-${process.pid}`;
  afterAll(() => {
    for (const name of ["", "-step"]) rmSync(`${lock}${name}`, { force: true });
  });
  /** Runs a verb's locks while another step does something. */
  const beside = (verb: string) => run(`exec 7>${lock}; flock --shared 7; (exec 7>&-; take_locks ${verb})`);

  it("lets steps do things side by side", async () => {
    expect(await beside("do")).toEqual({ exitCode: 0, stdout: "" });
  });

  it("lets none be undone meanwhile", async () => {
    const { exitCode, stdout } = await beside("undo");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("still at work");
  });
});
