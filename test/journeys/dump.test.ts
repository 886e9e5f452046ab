/** A move by dump: there and back with rows that would be lost, with users, and to its end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, type Client, openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged } from "../lab/compare.ts";
import {
  expectAsBefore,
  expectClosed,
  expectDescribed,
  expectDestroyTouchesNothing,
  expectJobsOnNew,
  expectNothingToDo,
  expectOutputs,
  fingerprints,
  hostsOfLast,
  phasesOf,
  type Side,
  uploads,
} from "./questions.ts";

const phases = phasesOf("dump", false);

let shop: Shop;
let client: Client;
let before: Record<Side, string[]>;
beforeAll(async () => {
  shop = await openShop({ name: "test-dump", database: { strategy: "dump" } });
  before = await fingerprints(shop);
});
afterAll(() => shop.close());

describe("with rows written on new, and nobody writing on old", () => {
  /** All of old; cron writes a row a minute on whichever server owns it. */
  const everything = async () =>
    (await shop.fingerprint("old")).filter((line) => !line.includes("cron_runs"));
  let all: string[];

  it("the way back is refused with the number of rows", async () => {
    all = await everything();
    expect(
      all.filter((line) => /^rows shop public\.(orders|products|customers) [1-9]/.test(line)),
    ).toHaveLength(3);
    await shop.moveTo("dns");
    await shop.script(
      "new",
      "systemctl stop shop-worker cron; cd / && runuser -u postgres -- psql -qd shop -c \"insert into orders (ref, invoice, product_id) select 'late-' || n, 'late-' || n, 1 from generate_series(1, 7) n\"",
    );
    await shop.stack.configure({ "changeover:phase": "app" });
    const refused = await shop.stack.up();
    expect(refused.exitCode).not.toBe(0);
    const rows = Number(/(\d+) rows were written on new since the switch/.exec(refused.all)?.[1]);
    expect(rows).toBeGreaterThanOrEqual(7);
    expect(refused.all).toContain(`pulumi config set changeover:acceptLostWrites ${rows}`);
    expect(await shop.orders("new")).toEqual(
      expect.arrayContaining([expect.objectContaining({ ref: "late-7" })]),
    );
    expect(await shop.on("new", "systemctl", "is-active", "shop-web")).toBe("active");
    expect(await shop.on("new", "ls", "/var/lib/changeover/shop/database-switch")).not.toContain("undoing");

    await shop.stack.configure({ "changeover:acceptLostWrites": rows - 1 });
    expect((await shop.stack.up()).exitCode).not.toBe(0);
    await shop.stack.configure({ "changeover:acceptLostWrites": rows });
  });

  it("when just that is accepted, leaves every row, sequence, role, file and unit of old as it was, after the whole way back", async () => {
    await shop.moveTo("app");
    expect(await shop.on("new", "bash", "-c", "ls /var/backups")).toMatch(/changeover-shop-.*\.dump/);
    expect((await shop.orders("old")).some(({ ref }) => ref === "late-7")).toBe(false);
    await shop.stack.configure({ "changeover:acceptLostWrites": undefined });
    await shop.script("new", "systemctl start cron shop-worker");
    await shop.moveTo("idle");
    expectUnchanged(all, await everything());
    await expectAsBefore(shop, before);
  });
});

describe("with users on the site", () => {
  beforeAll(async () => {
    client = shop.startClient();
    await client.settled(30);
  });

  // What a second run does at the phases that both strategies share, the other journey asks.
  it.each(["prepared", "app"])("at %s, serves them from the right side", async (phase) => {
    await shop.moveTo(phase);
    await client.settled(30);
    await expectOutputs(shop, phases[phase]!);
  });

  it("at database, a second up does nothing, and the command says what is", async () => {
    await shop.moveTo("database");
    await client.settled(30);
    await expectNothingToDo(shop, phases["database"]!, "preview");
    await expectDescribed(shop, phases["database"]!);
  });

  it("refuses `destroy` in mid-move, and undoes nothing", async () => {
    const now = await shop.fingerprint("old", "without rows");
    const { exitCode, all } = await shop.stack.destroy();
    expect(exitCode).not.toBe(0);
    expect(all).toMatch(/under-way.*protect/s);
    expectUnchanged(now, await shop.fingerprint("old", "without rows"));
    const again = await shop.stack.up();
    expect(again.changes).toMatchObject({ create: 0, update: 0, delete: 0 });
  });

  it("brings back what they uploaded, and loses only what they wrote on new's database; both servers are as before", async () => {
    const uploaded = await uploads(shop, "new");
    await shop.stack.configure({ "changeover:acceptLostWrites": 1_000_000 });
    await shop.moveTo("idle");
    const returned = Date.now();
    await client.settled(50);
    const seen = await client.stop();
    await shop.stack.configure({ "changeover:acceptLostWrites": undefined });
    await shop.moveTo("idle");
    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    expect(seen.requests).toBeGreaterThan(300);
    expect(seen.maintenanceSeconds).toBeGreaterThan(0);
    expect(
      hostsOfLast(
        seen.entries.filter(({ at }) => at > returned),
        1000,
      ),
    ).toEqual(new Set(["old"]));
    const writes = audit(seen.entries, await shop.orders("old"));
    expect(writes.doubledWrites).toBe(0);
    const lost = seen.entries.filter(
      ({ ref }) => ref !== undefined && writes.lost.some((order) => order.ref === ref),
    );
    expect(lost.filter(({ at }) => at > returned)).toEqual([]);
    expect(uploaded.some((name) => name.startsWith("client-"))).toBe(true);
    expect(await uploads(shop, "old")).toEqual(expect.arrayContaining(uploaded));
    await expectAsBefore(shop, before);
  });
});

describe("to its end", () => {
  it("in one run: no request fails, no write is lost or doubled, users see the page while the database is copied", async () => {
    client = shop.startClient();
    await client.settled(30);
    await shop.moveTo("finished");
    await client.settled(30);
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    expect(seen.maintenanceSeconds).toBeGreaterThan(0);
    const writes = audit(seen.entries, await shop.orders("new"));
    expect(writes).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    expect(hostsOfLast(seen.entries, 30)).toEqual(new Set(["new"]));
  });

  it("has one owner of jobs and cron: every job ran once, and each on one server", () =>
    expectJobsOnNew(shop));

  it("closes new's access to old, and takes deploys on new alone", () => expectClosed(shop));

  it("keeps in its journal why those who still come to old are left behind", async () => {
    const journal = await shop.on("new", "cat", "/var/log/changeover/shop/journal");
    expect(journal).toContain("\tstragglers accepted\tthe demo's client goes on");
  });

  it("says at finished that there is no way back, and touches no server when the stack is destroyed", async () => {
    await expectNothingToDo(shop, phases["finished"]!, "preview");
    await expectDescribed(shop, phases["finished"]!);
    await expectDestroyTouchesNothing(shop);
  });
});
