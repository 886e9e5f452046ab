/** Every way back with the strategy dump, with a client that never pauses, and the fingerprint of old before and after. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, openShop, type Shop } from "../../demo/shop.ts";
import { expectAsBefore, fingerprints, uploads } from "../journeys/questions.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-back", database: { strategy: "dump" } });
});
afterAll(() => shop.close());

describe.each(["prepared", "app", "database", "dns"])("from %s back to idle", (phase) => {
  it("serves users throughout from the right side, and leaves both servers as they were", async () => {
    const before = await fingerprints(shop);
    const client = shop.startClient();
    await client.settled(30);
    await shop.moveTo(phase);
    const reached = Date.now();
    await client.settled(50);
    const settled = Date.now();
    const uploaded = await uploads(shop, phase === "prepared" ? "old" : "new");
    await shop.stack.configure({ "changeover:acceptLostWrites": 1_000_000 });
    await shop.moveTo("idle");
    const returned = Date.now();
    await client.settled(50);
    const seen = await client.stop();
    await shop.stack.configure({ "changeover:acceptLostWrites": undefined });
    await shop.moveTo("idle");

    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    const hosts = (from: number, to: number) =>
      new Set(
        seen.entries
          .filter(({ at, host }) => host !== undefined && at > from && at < to)
          .map(({ host }) => host),
      );
    expect([...hosts(returned, Infinity)]).toEqual(["old"]);
    if (phase !== "prepared") expect([...hosts(reached, settled)]).toEqual(["new"]);

    // What users wrote on new's database is lost on the way back from there, knowingly; nothing else is.
    const writes = audit(seen.entries, await shop.orders("old"));
    expect(writes.doubledWrites).toBe(0);
    const lost = seen.entries.filter(
      ({ ref }) => ref !== undefined && writes.lost.some((order) => order.ref === ref),
    );
    const mayLose = phase === "database" || phase === "dns";
    expect(lost.filter(({ at }) => !mayLose || at > returned)).toEqual([]);

    // What users uploaded comes back with them, whatever becomes of the database.
    expect(uploaded.some((name) => name.startsWith("client-"))).toBe(true);
    expect(await uploads(shop, "old")).toEqual(expect.arrayContaining(uploaded));

    await expectAsBefore(shop, before);
  });
});
