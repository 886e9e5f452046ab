/** Ways for the zoo's database to go over: by strategy, in streams or not, held to a rate or not. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Shop } from "../../demo/shop.ts";
import {
  canFollow,
  describeDatabase,
  openZoo,
  query,
  remains,
  withoutFollowing,
  zooSettings,
} from "./zoo.ts";

/** One way. */
export interface Way {
  name: "zoo" | "zoo_empty";
  strategy: "replicate" | "dump";
  /** Tables from this size on go in streams. */
  copyAhead: string;
  copyRate: string;
  /** The database's description has more lines than this. */
  lines: number;
}

/**
 * Moves the zoo by each of the ways, and back.
 * @param lab its name.
 */
export function moveZoo(lab: string, ways: readonly Way[]): void {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openZoo(lab, { rows: 20_000, toast: 50_000_000 });
  });
  afterAll(() => shop.close());

  describe.each(ways)(
    "the database $name by $strategy, tables of $copyAhead in streams, copyRate $copyRate",
    ({ name, strategy, copyAhead, copyRate, lines }) => {
      // A test that failed in mid-move leaves nothing of it to the next.
      afterEach(() => shop.moveTo("idle"));

      it("is the same on new, and old is what it was after the way back", async () => {
        if (strategy === "replicate") await query(shop, "old", "zoo", canFollow);
        await shop.stack.configure(zooSettings(shop, name, strategy, copyAhead, copyRate));
        const before = await describeDatabase(shop, "old", name);
        expect(before.length).toBeGreaterThan(lines);
        const remained = await remains(shop, "new");
        await shop.moveTo("database");
        expect(withoutFollowing(await describeDatabase(shop, "new", name))).toEqual(withoutFollowing(before));
        expect(await shop.script("new", "cat /etc/zoo/endpoint")).toBe(
          `zoo at 127.0.0.1:${strategy === "dump" ? 5432 : 6432}`,
        );
        await shop.moveTo("idle");
        expect(await describeDatabase(shop, "old", name)).toEqual(before);
        expect(await remains(shop, "new")).toBe(remained);
      });
    },
  );
}
