import { describe, expect, it } from "vitest";
import { Unreachable } from "../../components/facts/inspect.ts";
import { parseConfig } from "../../stacks/config.ts";
import { halfUndone } from "../../stacks/halfUndone.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { complete } from "./settings.ts";

const find = (phase: string, old: string, fresh = "") => {
  const settings = parseConfig({ ...complete, phase });
  const facts = (steps: string) => new Map([["halfUndone", steps]]);
  return halfUndone(serverMoveRunbook(settings), settings, { old: facts(old), new: facts(fresh) });
};

describe("a step whose way back was cut off", () => {
  it("stops a move that keeps it, with the phase in which its way back ends", () => {
    expect(find("app", "jobs-stop\n")).toEqual([
      {
        place: "old, step jobs-stop",
        rule: "is done as a whole in phase 'app'",
        value: "its way back was cut off, and has undone a part of it",
        remedy:
          "end the way back first: pulumi config set changeover:phase prepared, and 'pulumi up'; then forward again",
      },
    ]);
    expect(find("dns", "", "files-copy")[0]).toMatchObject({
      place: "new, step files-copy",
      remedy: expect.stringContaining("changeover:phase idle") as string,
    });
    expect(find("dns", "jobs-stop\ncron-stop", "files-copy")).toHaveLength(3);
  });

  it("stops nothing where its way back goes on, or where it is another server's or move's", () => {
    expect(find("prepared", "jobs-stop")).toEqual([]);
    expect(find("idle", "jobs-stop", "files-copy")).toEqual([]);
    expect(find("app", "files-copy\nnone-of-these", "jobs-stop")).toEqual([]);
  });

  it("is not known of a server that is mute", () => {
    const settings = parseConfig({ ...complete, phase: "app" });
    const mute = new Unreachable("no route to host");
    expect(halfUndone(serverMoveRunbook(settings), settings, { old: mute, new: mute })).toEqual([]);
  });
});
