/** The move over other releases of Debian and PostgreSQL: the same on both sides, and from the oldest that can be followed. */
import { afterEach, describe, expect, it } from "vitest";
import { audit, openShop, type Shop } from "../../demo/shop.ts";

let shop: Shop | undefined;
afterEach(() => shop?.close());

const version = async (of: Shop, side: "old" | "new") =>
  of.script(side, "cd / && runuser -u postgres -- psql -XAtc 'show server_version_num' | cut -c 1-2");

const password = "of-the-shop";

/** PostgreSQL 13 keeps passwords as md5 by default: the move says so, and its remedy mends it. */
async function keepPasswordAsScram(of: Shop): Promise<void> {
  const { exitCode, all } = await of.stack.preview();
  expect(exitCode).not.toBe(0);
  expect(all).toMatch(/old, role shop: .* kept as md5/);
  await of.script(
    "old",
    `cd / && runuser -u postgres -- psql -Xq <<'SQL'\nset password_encryption = 'scram-sha-256';\nalter role shop password '${password}';\nSQL`,
  );
}

describe.each([
  { old: "bookworm", new: "bookworm", versions: ["15", "15"] },
  { old: "trixie", new: "trixie", versions: ["17", "17"] },
  { old: "bullseye", new: "trixie", versions: ["13", "17"] },
])("from $old to $new", ({ old, new: fresh, versions }) => {
  it.each(["replicate", "dump"])(
    "by %s: forward, back, and to the end; no write is lost",
    async (strategy) => {
      shop = await openShop({
        name: "soak-releases",
        database: { strategy },
        env: { LAB_OLD_RELEASE: old, LAB_NEW_RELEASE: fresh, DEMO_DB_PASSWORD: password },
        settings: { "changeover:acceptLostWrites": 1_000_000 },
      });
      expect([await version(shop, "old"), await version(shop, "new")]).toEqual(versions);
      if (old === "bullseye") await keepPasswordAsScram(shop);
      const client = shop.startClient();
      await client.settled(50);
      const phases =
        strategy === "dump" ? ["database", "finished"] : ["database", "app", "database", "finished"];
      for (const phase of phases) {
        await shop.moveTo(phase);
        await client.settled(50);
      }
      const seen = await client.stop();
      expect(seen.failures).toEqual([]);
      expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({
        lostWrites: 0,
        doubledWrites: 0,
      });
    },
  );
});
