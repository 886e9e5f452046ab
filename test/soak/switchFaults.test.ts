/**
 * The switch of a followed database, forward and back, struck in every way: no acknowledged write is lost, the two sides are never
 * both writable, users are served again by themselves, and the next run finishes.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  faults,
  openStruck,
  points,
  type Seen,
  strikeAt,
  type Struck,
  sumUp,
  untilStruck,
  untilTold,
  type Verb,
  verbs,
} from "../lab/strikes.ts";

describe("the switch under 300 writes a second", () => {
  let struck: Struck;
  beforeAll(async () => {
    struck = await openStruck("soak-switch");
  });
  afterAll(() => struck.close());

  it("is followed by nobody", () =>
    strikeAt(struck, faults.follower, ["preparing", "before the fence", "after the decision"]));

  it("loses PgBouncer", () =>
    strikeAt(struck, faults.pooler, [
      "before the hold",
      "before the fence",
      "between fence and decision",
      "after the decision",
      "before the release",
    ]));

  it("loses old's PostgreSQL", () =>
    strikeAt(struck, faults.oldPostgres, [
      "preparing",
      "before the fence",
      "between fence and decision",
      "after the decision",
      "after the release",
    ]));

  it("loses new's PostgreSQL", () =>
    strikeAt(struck, faults.newPostgres, [
      "preparing",
      "before the fence",
      "between fence and decision",
      "after the decision",
      "after the release",
    ]));

  it("loses the network", () =>
    strikeAt(struck, faults.network, [
      "preparing",
      "before the fence",
      "between fence and decision",
      "after the decision",
      "after the release",
    ]));

  it.each(["old", "new"] as const)("is cut off by a reboot of %s", async (side) => {
    const all: Seen[] = [];
    for (const name of ["before the fence", "between fence and decision", "after the decision"] as const)
      for (const verb of verbs) all.push(await struck.reboot(side, verb, points[name]));
    sumUp(`${side} reboots`, all);
  });

  it("goes on when pulumi is killed; the next `up` finishes, both ways", async () => {
    const all: Seen[] = [];
    for (const [verb, phase] of [
      ["do", "database"],
      ["undo", "app"],
    ] as const)
      all.push(await killPulumi(struck, verb, phase));
    sumUp("pulumi is killed", all);
  });
});

/** Kills `pulumi up` while the switch waits for that, before its decision. */
async function killPulumi(
  { shop, plant, acknowledged, check }: Struck,
  verb: Verb,
  phase: string,
): Promise<Seen> {
  await plant(points["before the decision"], untilTold);
  await shop.stack.configure({ "changeover:phase": phase });
  const killed = shop.stack.start("up", "--yes", "--skip-preview");
  const met = shop.script("new", untilStruck);
  const early = killed.then(({ all }) => {
    throw new Error(`pulumi ended before the switch's decision:\n${all}`);
  });
  await Promise.race([met, early]);
  killed.kill("SIGKILL");
  await killed;
  await shop.script("new", "touch /run/go");
  expect((await shop.stack.up()).all).toMatch(/currently locked/);
  expect((await shop.stack.cancel()).exitCode).toBe(0);
  const next = await shop.stack.up();
  expect(next.exitCode, next.all).toBe(0);
  await acknowledged(50);
  return check(`pulumi is killed: ${verb}`);
}

describe("the switch on a full disk", () => {
  let struck: Struck;
  beforeAll(async () => {
    struck = await openStruck("soak-disk", "small");
  });
  afterAll(() => struck.close());

  it("fails or finishes, both ways", () =>
    strikeAt(struck, faults.disk, [
      "preparing",
      "before the fence",
      "before the decision",
      "after the decision",
      "after the release",
    ]));
});
