/** Every step on real servers: undo without do, do killed half-way, do, do again, undo, undo again, and both servers as before. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execa } from "execa";
import { join } from "node:path";
import { resultOf, type Step, type StepContext, stepScript } from "../../components/step.ts";
import { sharedSettings } from "../../components/site.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { type MoveConfig, parseConfig } from "../../stacks/config.ts";
import { phaseNumber, reachedPhases } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { differences } from "./compare.ts";

const name = "test-steps";
const results: Record<string, string> = {};
let shop: Shop;
let settings: MoveConfig;

beforeAll(async () => {
  shop = await openShop({ name });
});
afterAll(() => shop.close());

/** The demo's move by a strategy. */
function moveBy(strategy: string): MoveConfig {
  const raw = Object.entries(demoSettings(shop.lab, { strategy })).map(([key, value]) => [
    key.replace("changeover:", ""),
    value,
  ]);
  return parseConfig(Object.fromEntries(raw) as Record<string, unknown>);
}

/** Sends a step's script as a resource would; ends it by force after some seconds where a limit is given. */
async function send(step: Step, phase: number, verb: "do" | "undo" | "verify", killAfter?: number) {
  const context: StepContext = {
    move: settings.move,
    access: { old: settings.old, new: settings.new },
    settings: sharedSettings(settings),
    retain: false,
  };
  const limit = killAfter === undefined ? [] : ["timeout", "--signal=KILL", String(killAfter)];
  const run = await execa(
    join(import.meta.dirname, "../../lab/ssh"),
    [step.side, ...limit, "bash", "-s", verb],
    {
      env: { LAB_NAME: name },
      input: stepScript(context, step, phase, results),
      reject: false,
      all: true,
    },
  );
  return { exitCode: run.exitCode, all: run.all };
}

/** Fails with all that the step printed, unless it ended well. */
async function must(step: Step, phase: number, verb: "do" | "undo" | "verify"): Promise<string> {
  const { exitCode, all } = await send(step, phase, verb);
  expect(exitCode, `${step.name} ${verb}: ${all}`).toBe(0);
  return all;
}

async function bothFingerprints(): Promise<{ old: string[]; new: string[] }> {
  const [old, fresh] = await Promise.all([
    shop.fingerprint("old", "without rows"),
    shop.fingerprint("new", "without rows"),
  ]);
  return { old, new: fresh };
}

describe.each(["replicate", "dump"])("every step before the point of no return, by %s", (strategy) => {
  beforeAll(() => {
    settings = moveBy(strategy);
  });

  it("does, does again, undoes, undoes again; and a do that was killed is done again", async () => {
    const done: [Step, number][] = [];
    const start = await bothFingerprints();
    for (const phase of reachedPhases("dns"))
      for (const step of serverMoveRunbook(settings)[phase]) {
        const number = phaseNumber(phase);
        const before = await shop.fingerprint(step.side, "without rows");
        await must(step, number, "undo");
        const began = Date.now();
        await must(step, number, "do");
        const seconds = (Date.now() - began) / 1000;
        await must(step, number, "undo");
        for (const part of [0.4, 0.7]) await send(step, number, "do", seconds * part);
        await must(step, number, "do");
        expect(await must(step, number, "do"), step.name).toContain("already done by this move");
        await must(step, number, "verify");
        await must(step, number, "undo");
        await must(step, number, "undo");
        const after = await shop.fingerprint(step.side, "without rows");
        expect(differences(before, after), `${step.name} leaves its server as it was`).toEqual([]);
        const output = await must(step, number, "do");
        const publicKey = resultOf(output, "publicKey");
        if (publicKey !== undefined) results.PUBLIC_KEY = publicKey;
        done.push([step, number]);
      }
    expect(done.length).toBeGreaterThan(20);
    for (const [step, number] of done.toReversed()) await must(step, number, "undo");
    const end = await bothFingerprints();
    expect(differences(start.old, end.old)).toEqual([]);
    expect(differences(start.new, end.new)).toEqual([]);
  });

  it("refuses the undo of an earlier phase while a later one is done", async () => {
    const { prepared, app } = serverMoveRunbook(settings);
    const early = prepared.find((step) => step.name === "firewall-open")!;
    const late = app.find((step) => step.name === "jobs-stop")!;
    await must(early, 1, "do");
    await must(late, 2, "do");
    const refused = await send(early, 1, "undo");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain("step jobs-stop of a later phase is done");
    await must(late, 2, "undo");
    await must(early, 1, "undo");
  });
});
