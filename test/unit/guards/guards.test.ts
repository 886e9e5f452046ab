/** The guards as a whole: silent on servers that are ready, everything at once, a finished move. */
import { describe, expect, it } from "vitest";
import { Unreachable } from "../../../components/facts/inspect.ts";
import { checkMove, describe as textOf, findings } from "../../../components/guards/guards.ts";
import { expectOne, found, look, settings } from "./look.ts";

it("lets servers pass that are ready", () => {
  expect(found({})).toEqual([]);
  expect(checkMove(settings, look())).toEqual([]);
});

it("tell all that is wrong at once", () => {
  expect(() =>
    checkMove(settings, look({ user: "1", "nginx.files": "" }, { "missing.tools": "psql" })),
  ).toThrow(/^3 things stop this move/);
});

describe("a finished move", () => {
  const finished = { done: "shop/finish-new" };
  it("may stay finished, whatever else is there", () => {
    expect(found({ user: "1" }, finished, { phase: "finished" })).toEqual([]);
    expect(
      findings({ ...settings, phase: "finished" }, { ...look({}, finished), old: new Unreachable("gone") }),
    ).toEqual([]);
  });
  it("does not go back", () => {
    expectOne(
      found({}, finished, { phase: "dns" }),
      ["changeover:phase", "198.51.100.20 has the site", "pulumi config set changeover:phase finished"],
      false,
    );
  });
});

it("is told in sentences that end once", () => {
  expect(textOf({ place: "old", rule: "answers", value: "ssh says: no.", remedy: "try" })).toBe(
    "  old: answers, but ssh says: no.\n      try",
  );
});
