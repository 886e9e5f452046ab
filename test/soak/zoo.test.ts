/** The zoo with 1 GB of rows goes over and comes back. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Shop } from "../../demo/shop.ts";
import { canFollow, describeDatabase, openZoo, query, withoutFollowing, zooSettings } from "../zoo/zoo.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openZoo("soak-zoo", { rows: 8_000_000, toast: 50_000_000 });
  await query(shop, "old", "zoo", canFollow);
}, 1_200_000);
afterAll(() => shop.close());

it.each(["replicate", "dump"])(
  "by %s, and every row is the same",
  async (strategy) => {
    await shop.stack.configure(zooSettings(shop, "zoo", strategy, "100 MB"));
    expect(Number(await query(shop, "old", "zoo", "select pg_database_size('zoo')"))).toBeGreaterThan(1e9);
    const before = await describeDatabase(shop, "old", "zoo");
    await shop.moveTo("database");
    expect(withoutFollowing(await describeDatabase(shop, "new", "zoo"))).toEqual(withoutFollowing(before));
    await shop.moveTo("idle");
    expect(await describeDatabase(shop, "old", "zoo")).toEqual(before);
  },
  1_200_000,
);
