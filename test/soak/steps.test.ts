/** Every step on real servers: undo without do, do killed half-way, do, do again, undo, undo again, and both servers as before. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { giveConsent } from "../../components/consent/consent.ts";
import type { Step } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { phaseNumber, reachedPhases } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { expectUnchanged } from "../lab/compare.ts";
import { checked, killedAfter, StepRunner } from "../lab/stepRunner.ts";

let shop: Shop;
let settings: MoveConfig;
let runner: StepRunner;
/** The steps that were tried out, with all their settings: those that both strategies share are tried once. */
const tried = new Set<string>();

beforeAll(async () => {
  shop = await openShop({ name: "test-steps" });
});
afterAll(() => shop.close());

async function bothFingerprints(): Promise<{ old: string[]; new: string[] }> {
  const [old, fresh] = await Promise.all([
    shop.fingerprint("old", "without rows"),
    shop.fingerprint("new", "without rows"),
  ]);
  return { old, new: fresh };
}

describe.each(["replicate", "dump"])("every step before the point of no return, by %s", (strategy) => {
  beforeAll(() => {
    settings = checked(demoSettings(shop.lab, { strategy }));
    runner = new StepRunner(shop, settings);
  });

  it("does, does again, undoes, undoes again; and a do that was killed is done again", async () => {
    const done: [Step, number][] = [];
    const start = await bothFingerprints();
    // A job of the site may write between a switch and its undo.
    const consent = giveConsent(settings, 1000);
    await runner.must(consent, 0, "do");
    for (const phase of reachedPhases("dns"))
      for (const step of serverMoveRunbook(settings)[phase]) {
        const number = phaseNumber(phase);
        const all = JSON.stringify(step);
        if (!tried.has(all)) await runner.tryOut(step, number);
        tried.add(all);
        await runner.must(step, number, "do");
        done.push([step, number]);
      }
    expect(done.length).toBeGreaterThan(20);
    for (const [step, number] of done.toReversed()) await runner.must(step, number, "undo");
    await runner.must(consent, 0, "undo");
    const end = await bothFingerprints();
    expectUnchanged(start.old, end.old);
    expectUnchanged(start.new, end.new);
  });

  it("refuses the undo of an earlier phase while a later one is done", async () => {
    const { prepared, app } = serverMoveRunbook(settings);
    const early = prepared.find((step) => step.name === "firewall-open")!;
    const late = app.find((step) => step.name === "jobs-stop")!;
    await runner.must(early, 1, "do");
    await runner.must(late, 2, "do");
    const refused = await runner.send(early, 1, "undo");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain("step jobs-stop of a later phase is done");
    await runner.must(late, 2, "undo");
    await runner.must(early, 1, "undo");
  });
});

it("publishes every table after a run that was killed while PostgreSQL kept it waiting for their list", async () => {
  const replicate = checked(demoSettings(shop.lab, { strategy: "replicate" }));
  const steps = new StepRunner(shop, replicate);
  const publish = serverMoveRunbook(replicate).app.find(({ name }) => name === "database-publication")!;
  const before = await shop.fingerprint("old", "without rows");
  const postmaster = (signal: string) =>
    shop.script("old", `kill -${signal} "$(head -n 1 /var/lib/postgresql/*/main/postmaster.pid)"`);
  await postmaster("STOP");
  const killed = await steps.send(publish, 2, "do", killedAfter(2)).finally(() => postmaster("CONT"));
  expect(killed.exitCode).not.toBe(0);
  await steps.must(publish, 2, "do");
  await steps.must(publish, 2, "undo");
  expectUnchanged(before, await shop.fingerprint("old", "without rows"));
});
