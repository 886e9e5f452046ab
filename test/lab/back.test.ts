/** Every way back with the strategy dump, with a client that never pauses, and the fingerprint of old before and after. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged } from "./compare.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-back", database: { strategy: "dump" } });
});
afterAll(() => shop.close());

/** The users' files on a side, those still being written left out. */
async function uploads(side: "old" | "new"): Promise<string[]> {
  const names = await shop.script(
    side,
    "find /srv/shop/uploads -type f -name 'client-*.bin' -printf '%f\\n'",
  );
  return names.split("\n");
}

describe.each(["prepared", "app", "database", "dns"])("from %s back to idle", (phase) => {
  it("serves users throughout from the right side, and leaves both servers as they were", async () => {
    const before = {
      old: await shop.fingerprint("old", "without rows"),
      new: await shop.fingerprint("new", "without rows"),
    };
    const client = shop.startClient();
    await client.settled(30);
    await shop.moveTo(phase);
    const reached = Date.now();
    await client.settled(50);
    const settled = Date.now();
    const uploaded = await uploads(phase === "prepared" ? "old" : "new");
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
    expect(await uploads("old")).toEqual(expect.arrayContaining(uploaded));

    expectUnchanged(before.old, await shop.fingerprint("old", "without rows"));
    expectUnchanged(before.new, await shop.fingerprint("new", "without rows"));
  });
});

describe("with nobody writing", () => {
  it("leaves every row, sequence, role, file and unit of old as it was, after the whole move and the whole way back", async () => {
    // cron writes a row a minute on whichever server owns it.
    const everything = async () =>
      (await shop.fingerprint("old")).filter((line) => !line.includes("cron_runs"));
    const before = await everything();
    expect(
      before.filter((line) => /^rows shop public\.(orders|products|customers) [1-9]/.test(line)),
    ).toHaveLength(3);
    await shop.stack.configure({ "changeover:acceptLostWrites": 10 });
    await shop.moveTo("dns");
    await shop.moveTo("idle");
    await shop.stack.configure({ "changeover:acceptLostWrites": undefined });
    await shop.moveTo("idle");
    expectUnchanged(before, await everything());
  });
});

describe("from database, with rows written on new", () => {
  it("is refused with the number of rows, and goes back when just that is accepted", async () => {
    await shop.moveTo("database");
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
    const back = await shop.stack.up();
    expect(back.exitCode, back.all).toBe(0);
    expect(await shop.on("new", "bash", "-c", "ls /var/backups")).toMatch(/changeover-shop-.*\.dump/);
    expect((await shop.orders("old")).some(({ ref }) => ref === "late-7")).toBe(false);
  });

  it("refuses `destroy` in mid-move, and undoes nothing", async () => {
    const before = await shop.fingerprint("old", "without rows");
    const { exitCode, all } = await shop.stack.destroy();
    expect(exitCode).not.toBe(0);
    expect(all).toMatch(/under-way.*protect/s);
    expectUnchanged(before, await shop.fingerprint("old", "without rows"));
    const again = await shop.stack.up();
    expect(again.changes).toMatchObject({ create: 0, update: 0, delete: 0 });
  });
});
