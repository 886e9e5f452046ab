/** Every reason that an operator gives is written down. */
import { expect, it } from "vitest";
import { outsideOfWindow, recordDecision, withStragglers } from "../../components/decision/decision.ts";

it("is a step of its own for each rule and each reason, and the same step for the same reason", () => {
  const name = (rule: typeof withStragglers, reason: string) =>
    recordDecision({ stepDeadline: 60 }, rule, reason).name;
  const names = [
    name(outsideOfWindow, "the disk is failing"),
    name(outsideOfWindow, "the customer asked for it"),
    name(withStragglers, "the disk is failing"),
  ];
  expect(new Set(names).size).toBe(3);
  expect(name(outsideOfWindow, "the disk is failing")).toBe(names[0]);
});
