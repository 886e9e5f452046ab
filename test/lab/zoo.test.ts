/** A database with every kind of thing comes out on new as it was on old, and the way back leaves nothing there. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";
import { demoSettings } from "../../demo/settings.ts";
import { buildZoo, describeDatabase, query } from "../zoo/zoo.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: process.env["LAB_NAME"] ?? "test-zoo" });
  await buildZoo(shop, "old", { rows: 20_000, toast: 50_000_000 });
  await shop.script("old", keepShopOnOld(shop.lab.old.address));
});
afterAll(() => shop.close());
/** A test that failed in mid-move leaves none to the next. */
afterEach(() => shop.moveTo("idle"));

/** The shop's own database stays on old, for both servers; the zoo's address is in a file of its own. */
const keepShopOnOld = (address: string) => `set -e
sed -i 's/127\\.0\\.0\\.1:5432/${address}:5432/' /etc/shop/shop.env
hba=$(cd / && runuser -u postgres -- psql -XAtc 'show hba_file')
printf 'hostssl shop shop 198.51.100.0/24 scram-sha-256\\n' >>"$hba"
systemctl reload postgresql
systemctl restart shop-web shop-live shop-worker
install -d /etc/zoo
printf 'zoo at 127.0.0.1:5432\\n' >/etc/zoo/endpoint`;

/** Settings that move a database of the zoo, beside the demo's own. */
function settings(name: string, copyAhead: string): Record<string, unknown> {
  const site = demoSettings(shop.lab)["changeover:site"] as { code: string[] };
  return {
    "changeover:site": { ...site, code: [...new Set([...site.code, "/etc/zoo"])] },
    "changeover:database": {
      name,
      roles: ["zoo_app", "Zoo Reader ü"],
      copyAhead,
      endpoint: { file: "/etc/zoo/endpoint", address: "127.0.0.1:5432" },
    },
  };
}

/** Databases and roles of a server, but for those that every server has. */
const remains = (side: "old" | "new") =>
  query(
    shop,
    side,
    "postgres",
    `select datname from pg_database union all select rolname from pg_roles where rolname !~ '^pg_'
     union all select 'parameter ' || parname from pg_parameter_acl order by 1`,
  );

describe.each([
  { name: "zoo", copyAhead: "1 bytes", lines: 1000 },
  { name: "zoo", copyAhead: "1 TB", lines: 1000 },
  { name: "zoo_empty", copyAhead: "100 MB", lines: 20 },
])("the database $name, tables of $copyAhead copied ahead", ({ name, copyAhead, lines }) => {
  it("is the same on new, and old is what it was after the way back", async () => {
    await shop.stack.configure(settings(name, copyAhead));
    const before = await describeDatabase(shop, "old", name);
    expect(before.length).toBeGreaterThan(lines);
    const remained = await remains("new");
    await shop.moveTo("database");
    expect(await describeDatabase(shop, "new", name)).toEqual(before);
    expect(await shop.script("new", "cat /etc/zoo/endpoint")).toBe("zoo at 127.0.0.1:5432");
    await shop.moveTo("idle");
    expect(await describeDatabase(shop, "old", name)).toEqual(before);
    expect(await remains("new")).toBe(remained);
  });
});
