/** The strategy replicate: the database goes over and comes back as often as one likes, with users writing all the time. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, openShop, type Shop } from "../../demo/shop.ts";
import { expectAsBefore, expectNothingFollows, fingerprints, query } from "../journeys/questions.ts";
import { journals } from "../lab/compare.ts";
import { watchLogins } from "../lab/logins.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-replicate" });
});
afterAll(() => shop.close());

const nothing = { create: 0, update: 0, delete: 0 };

describe("with users on the site", () => {
  it("goes forward, back, forward and back to idle: no request fails, no write is lost, doubled or out of both sides' order", async () => {
    const before = await fingerprints(shop);
    const client = shop.startClient(20);
    await client.settled(50);
    for (const phase of ["prepared", "app"]) {
      await shop.moveTo(phase);
      await client.settled(50);
    }
    const stop = await watchLogins(shop);
    for (const phase of ["database", "app", "database", "app"]) {
      await shop.moveTo(phase);
      await client.settled(100);
      const { changes } = await shop.stack.up();
      expect(changes, `a second up at ${phase}`).toMatchObject(nothing);
    }
    const logins = await stop();
    expect(logins.samples).toBeGreaterThan(500);
    expect(logins.both).toBe(0);
    await shop.moveTo("database");
    await client.settled(100);
    await shop.moveTo("idle");
    await client.settled(50);
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    expect(seen.maintenanceSeconds).toBe(0);
    expect(audit(seen.entries, await shop.orders("old"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    await expectAsBefore(shop, before);
  });

  it("says how long statements waited, that nothing would be lost, and changes nothing in preview or a second up", async () => {
    await shop.moveTo("database");
    const outputs = await shop.stack.outputs();
    expect(outputs["databaseHoldMilliseconds"]).toBeGreaterThan(0);
    expect(outputs["rollbackLosesWrites"]).toBe(false);
    const logs = await journals(shop);
    const { changes, all } = await shop.stack.up();
    expect(changes, all).toMatchObject(nothing);
    expect(await journals(shop)).toEqual(logs);
  });

  it("keeps both sides equal, and every sequence where it was", async () => {
    await query(
      shop,
      "new",
      "select nextval('invoice_number'); insert into job_runs values (-1, 'test', now()); update job_runs set host = 'twice' where job_id = -1;",
    );
    const rows =
      "select count(*), sum(hashtextextended(o::text, 0)::numeric) from orders o; select * from job_runs where job_id = -1;";
    const wanted = await query(shop, "new", rows);
    await expect.poll(() => query(shop, "old", rows), { timeout: 20_000 }).toBe(wanted);
    const sequences =
      "select (select last_value from invoice_number), (select last_value from orders_number_seq)";
    const before = await query(shop, "new", sequences);
    await shop.moveTo("app");
    expect(await query(shop, "old", sequences)).toBe(before);
  });
});

describe("what stops a switch", () => {
  it("a column that only one side has: users stay, and the next run goes on once it is on both", async () => {
    const column = "alter table orders add column gift text";
    await query(shop, "old", column);
    await shop.stack.configure({ "changeover:phase": "database" });
    const { exitCode, all } = await shop.stack.up();
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain("on old and new differ");
    await query(shop, "new", column);
    await shop.moveTo("database");
  });

  it("a way back that would lose writes: it is refused, and nothing is", async () => {
    await query(shop, "old", "alter table job_runs add constraint surprise check (job_id <> -2)");
    await query(shop, "new", "insert into job_runs values (-2, 'test', now()), (-2, 'test', now());");
    await shop.stack.configure({ "changeover:phase": "app" });
    const { exitCode, all } = await shop.stack.up();
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain("old does not catch up with new");
    expect(all).toMatch(/job_runs: \d+ rows/);
    await expect
      .poll(async () => (await shop.stack.preview()).all, { timeout: 60_000, interval: 500 })
      .toContain(
        "old, PostgreSQL: follows new's database (subscription changeover_shop_to_old), but it does not get on",
      );
    await query(shop, "old", "alter table job_runs drop constraint surprise");
    await shop.moveTo("app");
    expect(await query(shop, "old", "select count(*) from job_runs where job_id = -2")).toBe("2");
  });
});

describe("a way back that is cut off", () => {
  it("is told by preview and outputs, and refused", async () => {
    await shop.moveTo("database");
    const slot = "changeover_shop_to_old";
    await query(shop, "old", `alter subscription ${slot} disable`);
    await expect
      .poll(() => query(shop, "new", `select active from pg_replication_slots where slot_name = '${slot}'`), {
        timeout: 60_000,
      })
      .toBe("f");
    await query(shop, "new", `select pg_drop_replication_slot('${slot}') \\g /dev/null`);
    expect((await shop.stack.preview()).all).toContain(
      "the slot on new is gone: going back would lose writes",
    );
    expect((await shop.stack.up()).exitCode).toBe(0);
    expect(await shop.stack.outputs()).toMatchObject({ rollbackLosesWrites: true });
    await shop.stack.configure({ "changeover:phase": "app" });
    const { exitCode, all } = await shop.stack.up();
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain("the slot is gone");
    await shop.moveTo("database");
  });
});

describe("after the move", () => {
  it("nothing follows any more: no slot, subscription, publication, role or mark is left on either side", async () => {
    await shop.moveTo("finished");
    await expectNothingFollows(shop);
  });
});
