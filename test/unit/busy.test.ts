/** A deadline that was missed for want of processors says so. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { busy } from "../../components/busy.ts";

const checkout = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "changeover-busy-"));
afterAll(() => rmSync(folder, { recursive: true }));
const processors = cpus().length;

/** Runs bash with a library while the load is so high. */
async function bash(file: string, load: number, text: string) {
  writeFileSync(join(folder, "loadavg"), `${load.toFixed(2)} 0.10 0.20 1/99 12345\n`);
  return execa(
    "bash",
    [
      "-c",
      `set -Eeuo pipefail\n. ${join(checkout, "components/shell/busy.sh")}\n. ${resolve(checkout, file)}\n${text}`,
    ],
    {
      reject: false,
      env: { LOADAVG: join(folder, "loadavg"), MOVE: "shop", STEP: "step", SIDE: "new" },
    },
  );
}

it.each([
  [17.24, 2, "; this machine was busy: load 17.2 on 2 processors"],
  [4.01, 2, "; this machine was busy: load 4.0 on 2 processors"],
  [4, 2, ""],
  [0, 1, ""],
])("in the program: %f on %i", (load, number, expected) => {
  expect(busy(load, number)).toBe(expected);
});

describe("on a server", () => {
  it.each([
    [
      processors * 2 + 1.27,
      `; this server was busy: load ${(processors * 2 + 1.2).toFixed(1)} on ${processors} processors`,
    ],
    [processors * 2, ""],
    [0.08, ""],
    [0.09, ""],
  ])("with a load of %f", async (load, expected) => {
    const { stdout, exitCode } = await bash("components/shell/busy.sh", load, "busy");
    expect({ stdout, exitCode }).toEqual({ stdout: expected, exitCode: 0 });
  });

  it("a wait tells what it waited for, for how long, what it saw last, and the load", async () => {
    const wait = `exec 3>&1; note() { printf '%s\\n' "$*" >&3; }; die() { note "$*"; exit 1; }
wait_until 1 "the moon" bash -c 'echo half >>"$0"; false' "$LOG"`;
    const library = join(folder, "lib.sh");
    const text = readFileSync(join(checkout, "components/shell/lib.sh"), "utf8");
    writeFileSync(library, text.replace(/^readonly LOG=.*/m, `LOG=${folder}/log`));
    const told = async (load: number) => (await bash(library, load, wait)).stdout;
    expect(await told(1)).toBe("the moon: not reached within 1 seconds; last seen: half");
    expect(await told(99)).toBe(
      `the moon: not reached within 1 seconds; last seen: half; this server was busy: load 99.0 on ${processors} processors`,
    );
  });
});

it("in the lab", async () => {
  const { stderr } = await bash(
    "lab/lib/common.sh",
    99,
    "wait_for 0 'old to boot' bash -c 'echo starting; false'",
  );
  expect(stderr).toBe(
    `lab: waited 0 of 0 seconds for old to boot; last seen: starting; this machine was busy: load 99.0 on ${processors} processors`,
  );
});
