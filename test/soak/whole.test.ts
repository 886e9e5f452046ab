/** Everything in one move: back from each phase before `dns`, and to its end. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { audit, type Client, openShop, type Shop } from "../../demo/shop.ts";
import {
  expectAsBefore,
  expectDescribed,
  expectNamed,
  expectNothingToDo,
  fingerprints,
  hostsOfLast,
  phasesOf,
  type Side,
} from "../journeys/questions.ts";
import { type Everything, everythingPackages, reach, setUpEverything } from "../lab/everything.ts";

const phases = phasesOf("replicate", true);
const forward = ["prepared", "app", "database", "dns"] as const;

let shop: Shop;
let everything: Everything;
let client: Client;
let before: Record<Side, string[]>;
beforeAll(async () => {
  shop = await openShop({ name: "test-whole-turns", ...everythingPackages });
  everything = await setUpEverything(shop);
  before = await fingerprints(shop);
  client = shop.startClient(10, everything);
  await client.settled(50);
});
afterAll(async () => {
  await everything.close();
  await shop.close();
});

/** What users are told on the way through some phases. */
const forUsers = (way: readonly string[]) => [
  "We move at 00:00.",
  ...(way.includes("database") ? ["Moved."] : []),
];

it.each(["prepared", "app", "database"] as const)(
  "is served on the way to %s and back, and leaves both servers as they were",
  async (last) => {
    const way = forward.slice(0, forward.indexOf(last) + 1);
    for (const phase of way) await reach(shop, phase);
    await client.settled(50);
    await expectNothingToDo(shop, phases[last]!, "preview");
    expectNamed(await expectDescribed(shop, phases[last]!), phases[last]!);
    await shop.moveTo("idle");
    await client.settled(50);
    const back = way
      .toReversed()
      .flatMap((phase, at) => [`${phase} returns`, `${["idle", ...way].at(way.length - 1 - at)} returned`]);
    expect(everything.told()).toEqual({
      notices: [...way.flatMap((phase) => [`${phase} begins`, `${phase} reached`]), ...back],
      users: forUsers(way),
    });
    await expectAsBefore(shop, before);
  },
);

it("is finished when nobody comes to old any more, and no request has failed", async () => {
  for (const phase of [...forward, "finished"]) await reach(shop, phase);
  await client.settled(50);
  const seen = await client.stop();
  expect(seen.failures).toEqual([]);
  expect(seen.maintenanceSeconds).toBe(0);
  expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
  expect(hostsOfLast(seen.entries, 30)).toEqual(new Set(["new"]));
  expect(everything.told()).toEqual({
    notices: [...forward, "finished"].flatMap((phase) => [`${phase} begins`, `${phase} reached`]),
    users: forUsers(forward),
  });
  expect(await shop.stack.outputs()).toMatchObject({ canaryDatabase: "new" });
});
