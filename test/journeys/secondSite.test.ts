/** A second, different site moves with settings alone: Perl below /opt, no TLS, no uploads, kept by monit, supervisor and timers. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged } from "../lab/compare.ts";
import { secondSite } from "../lab/second/settings.ts";
import { askNotes, startUsers } from "../lab/second/users.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-second-site", site: secondSite });
});
afterAll(() => shop.close());

const sides = ["old", "new"] as const;
const numbers = async (side: "old" | "new") =>
  new Set((await askNotes(shop, side, "select id from notes;")).map(Number));

it("moves up to its database and back to idle, and both servers are what they were", async () => {
  const before = await Promise.all(sides.map((side) => shop.fingerprint(side, "without rows")));
  const preview = await shop.stack.preview();
  expect(preview.exitCode, preview.all).toBe(0);
  expect(preview.all).toContain("left out: supervisor:notes-spare.");
  const stop = await startUsers(shop);
  await shop.moveTo("database");
  expect(await askNotes(shop, "new", "select count(*) > 0 from runs where host = 'new';")).toEqual(["t"]);
  await shop.moveTo("idle");
  const seen = await stop();
  expect(seen.failures).toEqual([]);
  expect(seen.hosts).toEqual(["old", "new", "old"]);
  expect(seen.pages).toBeGreaterThan(0);
  const kept = await numbers("old");
  expect(seen.written.filter((number) => !kept.has(number))).toEqual([]);
  expect(await shop.script("new", "cat /tmp/notes-cleared")).toBe("notes's cache\nnotes's cache");
  expect(await shop.script("old", "cat /tmp/notes-cleared")).toBe("notes's cache");
  for (const [index, side] of sides.entries())
    expectUnchanged(before[index]!, await shop.fingerprint(side, "without rows"), side);
});

it("moves to its end", async () => {
  const stop = await startUsers(shop);
  await shop.moveTo("finished");
  const seen = await stop();
  expect(seen.failures).toEqual([]);
  expect(seen.hosts).toEqual(["old", "new"]);
  const kept = await numbers("new");
  expect(seen.written.filter((number) => !kept.has(number))).toEqual([]);
  expect(seen.written.length).toBeGreaterThan(100);
  expect(await shop.script("old", "systemctl is-active notes.service || true")).toBe("inactive");
});
