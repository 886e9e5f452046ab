/** The rules of a runbook. */
import { expect, describe, it } from "vitest";
import type { Step } from "../../components/step.ts";
import { parseConfig, phases } from "../../stacks/config.ts";
import {
  phaseNumber,
  placeRunbook,
  reachedPhases,
  type Runbook,
  runbookProblems,
} from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { complete } from "./settings.ts";

const step = (name: string, more: Partial<Step> = {}): Step => ({
  name,
  side: "old",
  title: "",
  back: "",
  folder: new URL("file:///"),
  deadlineSeconds: 1,
  ...more,
});
const runbook = (steps: Partial<Runbook>): Runbook => ({
  prepared: [],
  app: [],
  database: [],
  dns: [],
  finished: [],
  ...steps,
});

describe("a runbook", () => {
  it.each<[string, Partial<Runbook>, string]>([
    ["two steps of one name", { prepared: [step("a")], app: [step("a")] }, "app: two steps are named a"],
    [
      "a name with capitals",
      { app: [step("takeTraffic")] },
      "app: takeTraffic: a step's name has lower case letters, digits and dashes",
    ],
    [
      "a name that climbs",
      { app: [step("../a")] },
      "app: ../a: a step's name has lower case letters, digits and dashes",
    ],
    [
      "an order backwards",
      { app: [step("a", { after: ["b"] }), step("b")] },
      "app: a: comes after b, which is not an earlier step of this phase",
    ],
    [
      "an order across phases",
      { prepared: [step("a")], app: [step("b", { after: ["a"] })] },
      "app: b: comes after a, which is not an earlier step of this phase",
    ],
    [
      "a step after itself",
      { app: [step("a", { after: ["a"] })] },
      "app: a: comes after a, which is not an earlier step of this phase",
    ],
    [
      "a result of a later step",
      { app: [step("a", { results: { KEY: { step: "b", result: "key" } } }), step("b")] },
      "app: a: needs a result of b, which is not an earlier step",
    ],
  ])("with %s is refused", (_what, steps, problem) => {
    expect(runbookProblems(runbook(steps))).toEqual([problem]);
    const context = { move: "shop", access: {} as never, settings: {}, retain: false };
    expect(() => placeRunbook(runbook(steps), "finished", context)).toThrow(
      `the runbook breaks its rules:\n${problem}`,
    );
  });

  it("tells all that is wrong", () => {
    expect(
      runbookProblems(runbook({ app: [step("A"), step("b", { after: ["c"] }), step("b")] })),
    ).toHaveLength(3);
  });

  it("may use results of earlier phases", () => {
    expect(
      runbookProblems(
        runbook({
          prepared: [step("a")],
          app: [step("b", { results: { KEY: { step: "a", result: "key" } } })],
        }),
      ),
    ).toEqual([]);
  });

  it("of a server move keeps the rules, and its steps have what they need", () => {
    const move = serverMoveRunbook(parseConfig(complete));
    expect(runbookProblems(move)).toEqual([]);
    for (const { name, title, back, deadlineSeconds } of Object.values(move).flat()) {
      expect(title, name).not.toBe("");
      expect(back, name).not.toBe("");
      expect(deadlineSeconds, name).toBeGreaterThan(0);
    }
  });
});

describe("phases", () => {
  it("are reached in order", () => {
    expect(phases.map(phaseNumber)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(reachedPhases("idle")).toEqual([]);
    expect(reachedPhases("database")).toEqual(["prepared", "app", "database"]);
    expect(reachedPhases("finished")).toEqual(["prepared", "app", "database", "dns", "finished"]);
  });
});
