/** The switch of a followed database, forward and back, dies at each of its statements; switchFaults strikes it in every other way. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faults, openStruck, type Seen, type Struck, sumUp, verbs } from "../lab/strikes.ts";

const limit = 3_600_000;

describe("the switch under 300 writes a second", () => {
  let struck: Struck;
  beforeAll(async () => {
    struck = await openStruck("soak-statements");
  });
  afterAll(() => struck.close());

  it(
    "dies at each of its statements",
    async () => {
      const all: Seen[] = [];
      for (let at = 1, come = 1; come > 0; at += 1) {
        come = 0;
        for (const verb of verbs) {
          const seen = await struck.strike(faults.unit, verb, at);
          if (seen) come = all.push(seen);
        }
      }
      expect(all.length).toBeGreaterThan(60);
      sumUp(faults.unit.name, all);
    },
    limit,
  );
});
