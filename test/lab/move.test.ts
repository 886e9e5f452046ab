/** The whole move, forward, with a client that never pauses. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, openShop, type Shop } from "../../demo/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-move" });
});
afterAll(() => shop.close());

describe("from idle to finished, with users on the site", () => {
  it("loses and doubles no write, fails no request, and shows nothing but the maintenance page while the database is copied", async () => {
    const client = shop.startClient();
    await client.settled(50);
    for (const phase of ["prepared", "app", "database", "dns", "finished"]) {
      await shop.moveTo(phase);
      await client.settled(50);
    }
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    expect(seen.requests).toBeGreaterThan(300);
    expect(seen.maintenanceSeconds).toBeGreaterThan(0);
    const writes = audit(seen.entries, await shop.orders("new"));
    expect(writes).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    const hosts = new Set(seen.entries.slice(-30).flatMap(({ host }) => (host ? [host] : [])));
    expect([...hosts]).toEqual(["new"]);
  });
});
