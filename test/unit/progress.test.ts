/** How far a move is, by the marks on the servers. */
import { describe, expect, it } from "vitest";
import { describeProgress, progressOf } from "../../stacks/progress.ts";
import { parseConfig } from "../../stacks/config.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { complete } from "./settings.ts";

const runbook = serverMoveRunbook(parseConfig(complete));
const names = (phase: keyof typeof runbook) => runbook[phase].map(({ name }) => name);
const marks = (done: string[], begun: string[] = []) => ({
  done: (step: string) => done.includes(step),
  begun: (step: string) => [...done, ...begun].includes(step),
});
const all = [...names("prepared"), ...names("app"), ...names("database")];

describe("progressOf", () => {
  it("is idle where nothing was begun, whatever the settings say", () => {
    expect(progressOf(runbook, "app", marks([]))).toEqual({ reached: "idle" });
  });

  it("is a phase when all its steps are done, and names the part that is done of the next", () => {
    expect(progressOf(runbook, "prepared", marks(names("prepared")))).toEqual({ reached: "prepared" });
    const partial = progressOf(
      runbook,
      "app",
      marks([...names("prepared"), "deploys-old"], ["files-catch-up"]),
    );
    expect(partial).toEqual({
      reached: "prepared",
      partial: { phase: "app", done: 1, steps: names("app").length },
    });
    expect(describeProgress(partial)).toBe(`prepared, and 1 of ${names("app").length} steps of app`);
  });

  it("counts a step that was only begun, as after an undo that failed", () => {
    const { reached, partial } = progressOf(runbook, "prepared", marks(names("prepared"), ["traffic"]));
    expect([reached, partial?.done]).toEqual(["prepared", 0]);
  });

  it("has a phase without steps when the settings say so, or when a later one was begun", () => {
    expect(names("dns")).toEqual([]);
    expect(progressOf(runbook, "database", marks(all)).reached).toBe("database");
    expect(progressOf(runbook, "dns", marks(all)).reached).toBe("dns");
    expect(progressOf(runbook, "database", marks(all, ["report-journal"]))).toMatchObject({
      reached: "dns",
      partial: { phase: "finished" },
    });
  });

  it("is finished when the last step is done, for old may be off by then", () => {
    expect(progressOf(runbook, "finished", marks(["report"]))).toEqual({ reached: "finished" });
  });
});
