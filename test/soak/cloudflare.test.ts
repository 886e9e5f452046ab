/** A whole move of a site whose names are at Cloudflare, there and back, with a client that never pauses. */
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged } from "../lab/compare.ts";

const token = "canary-of-the-token-that-may-edit-the-zone";
const record = (name: string, type: string, content: string, ttl: number, proxied = false) => ({
  name,
  type,
  content,
  ttl,
  proxied,
});
const [old, fresh] = ["198.51.100.10", "198.51.100.20"];
const begin = [record("shop.example.org", "A", old, 3600), record("www.shop.example.org", "A", old, 1, true)];

let shop: Shop;
let zone: ResultPromise<{ env: { LAB_NAME: string }; reject: false }>;
let said = "";
beforeAll(async () => {
  shop = await openShop({ name: "test-cloudflare", database: { strategy: "dump" } });
  zone = execa(
    join(import.meta.dirname, "../../lab/run"),
    ["node", join(import.meta.dirname, "zoneServer.ts"), token, JSON.stringify(begin)],
    { env: { LAB_NAME: shop.lab.name }, reject: false },
  );
  zone.stdout.on("data", (text: Buffer) => (said += text.toString()));
  for (const end = Date.now() + 20_000; !said.includes("ready");) {
    if (Date.now() > end) throw new Error(`the zone's server did not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await shop.stack.configure({
    "changeover:dns": {
      provider: "cloudflare",
      zone: "example.org",
      token: await shop.stack.seal(token),
      api: "http://127.0.0.1:8053/client/v4",
      server: "127.0.0.1",
      port: 8053,
    },
  });
});
afterAll(async () => {
  zone?.kill();
  await zone;
  await shop.close();
});

/** The changes since it was last asked, sorted: those of one run have no order among themselves. */
function changes(): string[] {
  const lines = said.split("\n").filter((line) => line !== "" && line !== "ready");
  said = "ready\n";
  return lines.toSorted();
}

it("leads names to new and back, users notice nothing, and both servers are what they were", async () => {
  const before = {
    old: await shop.fingerprint("old", "without rows"),
    new: await shop.fingerprint("new", "without rows"),
  };
  expect((await shop.stack.preview()).all).toMatch(/= 2 to import/);
  const client = shop.startClient();
  await client.settled(30);
  await shop.moveTo("prepared");
  expect(changes()).toEqual([`PUT shop.example.org A ${old} 60`]);

  await shop.stack.configure({ "changeover:phase": "dns" });
  expect((await shop.stack.preview()).all).toMatch(
    /the TTL of before the move has run out, but it has not yet, for (1 h|59 min)/,
  );
  const until = "/var/lib/changeover/shop/dns-ttl/until";
  await shop.script("new", `echo "$(date +%s)" >${until}`);
  await shop.moveTo("dns");
  expect(changes()).toEqual([`PUT shop.example.org A ${fresh} 60`, `PUT www.shop.example.org A ${fresh} 1`]);
  expect((await shop.stack.up()).changes).toMatchObject({ create: 0, update: 0, delete: 0 });

  await shop.stack.configure({ "changeover:acceptLostWrites": 1_000_000 });
  await shop.moveTo("idle");
  expect(changes()).toEqual([`PUT shop.example.org A ${old} 3600`, `PUT www.shop.example.org A ${old} 1`]);
  await client.settled(30);
  const seen = await client.stop();
  expect(seen.failures).toEqual([]);
  await shop.stack.configure({ "changeover:acceptLostWrites": undefined });
  await shop.moveTo("idle");
  expect((await shop.stack.up()).changes).toMatchObject({ create: 0, update: 0, delete: 0 });
  for (const side of ["old", "new"] as const)
    expectUnchanged(before[side], await shop.fingerprint(side, "without rows"));
});

it("keeps its token out of the servers and of the plain state", async () => {
  await shop.moveTo("prepared");
  expect(await shop.script("new", `grep -rlF '${token}' /var/lib/changeover /var/log || true`)).toBe("");
  expect((await shop.stack.exportState()).text).not.toContain(token);
});

it("does not leave the records to nobody in mid-move", async () => {
  await shop.stack.configure({ "changeover:dns": undefined });
  const { all, exitCode } = await shop.stack.preview();
  expect(exitCode).not.toBe(0);
  expect(all).toContain("changeover:dns: stays what it is until the move is back at idle or finished");
});
