/** What a run is about to do. */
import { describe, expect, it } from "vitest";
import type { Facts } from "../../components/facts/inspect.ts";
import { parseConfig, type Phase } from "../../stacks/config.ts";
import { planOf } from "../../stacks/plan.ts";
import { reachedPhases } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { complete } from "./settings.ts";

/** The plan of a move to a phase, after the steps of another one are done. */
function plan(phase: Phase, done: Phase, database = {}) {
  const settings = parseConfig({ ...complete, phase, database: { ...complete.database, ...database } });
  const runbook = serverMoveRunbook(settings);
  const steps = reachedPhases(done).flatMap((reached) => runbook[reached]);
  const facts: Facts = new Map([["done", steps.map(({ name }) => `shop/${name}`).join("\n")]]);
  return planOf(runbook, settings, { old: facts, new: new Map() }, false);
}

describe("a plan", () => {
  it("names the disruptive phases that are still to come", () => {
    expect(plan("database", "idle").phases).toEqual(["app", "database"]);
    expect(plan("database", "app").phases).toEqual(["database"]);
    expect(plan("prepared", "idle").phases).toEqual([]);
  });

  it("has nothing for what is done, for a way back, and for the end", () => {
    for (const [phase, done] of [
      ["database", "database"],
      ["prepared", "database"],
      ["finished", "database"],
    ] as const)
      expect(plan(phase, done).phases, `${done} to ${phase}`).toEqual([]);
    expect(plan("database", "database").seconds).toBe(0);
  });

  it("counts the restart of old's PostgreSQL as disruptive where it is asked for in prepared", () => {
    expect(plan("prepared", "idle", { restart: "prepared" }).phases).toEqual(["prepared"]);
    expect(plan("prepared", "idle", { restart: "prepared", strategy: "dump" }).phases).toEqual([]);
  });

  it("adds up the seconds of all steps that are still to come", () => {
    const { seconds } = plan("prepared", "idle");
    expect(plan("database", "idle").seconds).toBeGreaterThan(seconds);
    expect(seconds).toBeGreaterThan(5);
  });
});
