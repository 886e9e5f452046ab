/** With session pooling, a switch closes the app's sessions: each fails once at most and logs in again, no acknowledged write is lost. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";

const sessions = 8;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-sessions", database: { pooler: { mode: "session" } } });
  await query("old", "create table kept (row bigint primary key); grant all on kept to shop;");
  await shop.moveTo("app");
  await shop.script(
    "new",
    `cat >/root/keepSessions.py <<'PY'\n${readFileSync(join(import.meta.dirname, "keepSessions.py"), "utf8")}PY
systemd-run --quiet --unit=sessions python3 /root/keepSessions.py 6432 ${sessions} /root/kept`,
  );
});
afterAll(() => shop.close());

/** One value from a side's shop database, as superuser. */
async function query(side: "old" | "new", sql: string): Promise<string> {
  return shop.script(side, `cd / && runuser -u postgres -- psql -XAtq shop <<'SQL'\n${sql}\nSQL`);
}

/** What a session wrote. */
interface Write {
  session: number;
  rows: number[];
  acknowledged: boolean;
}

/** All that has been written so far. */
async function written(): Promise<Write[]> {
  return (await shop.script("new", "cat /root/kept 2>/dev/null || true"))
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .map(([session = NaN, first = NaN, last = NaN, ok]) => ({
      session,
      rows: first === last ? [first] : [first, last],
      acknowledged: ok === 1,
    }));
}

/** Waits until every session has written some more. */
async function settled(): Promise<void> {
  const least = async () => {
    const counts = Array.from({ length: sessions }, () => 0);
    for (const { session, acknowledged } of await written()) if (acknowledged) counts[session]! += 1;
    return Math.min(...counts);
  };
  const wanted = (await least()) + 20;
  await expect.poll(least, { timeout: 60_000, interval: 200 }).toBeGreaterThan(wanted);
}

/** Goes to a phase by a switch; how many sessions it says that it closed, and how many of them were in a transaction. */
async function switchTo(phase: string): Promise<{ closed: number; inTransaction: number }> {
  await shop.stack.configure({ "changeover:phase": phase });
  const { exitCode, all } = await shop.stack.up();
  expect(exitCode, all).toBe(0);
  const [, closed, inTransaction] =
    /closed: (\d+) sessions, of which in a transaction: (\d+)/.exec(all) ?? [];
  return { closed: Number(closed), inTransaction: Number(inTransaction) };
}

/** Starts another client of the app's on new; told once the server has it in a state. */
async function startClient(unit: string, command: string, state: string): Promise<void> {
  await shop.script(
    "new",
    `cat >/root/${unit} <<'SH'\n. /etc/shop/shop.env\n${command}\nSH
systemctl stop ${unit} 2>/dev/null; systemd-run --quiet --collect --unit=${unit} bash /root/${unit}`,
  );
  const word = state === "active" ? "pg_sleep" : "select 1;";
  await expect
    .poll(
      async () => {
        const counts = await Promise.all(
          (["old", "new"] as const).map((side) =>
            query(
              side,
              `select count(*) from pg_stat_activity where usename = 'shop' and state = '${state}' and position('${word}' in query) > 0`,
            ),
          ),
        );
        return Math.max(...counts.map(Number));
      },
      { timeout: 120_000 },
    )
    .toBe(1);
}

describe("sessions that last", () => {
  it.each(["database", "app", "database"])(
    "fail once at most on the way to %s, as many as it says",
    async (phase) => {
      await settled();
      const before = (await written()).length;
      const { closed, inTransaction } = await switchTo(phase);
      await settled();
      const failed = (await written()).slice(before).filter(({ acknowledged }) => !acknowledged);
      const each = Array.from(
        { length: sessions },
        (_, session) => failed.filter((write) => write.session === session).length,
      );
      expect(each).toEqual(each.map(() => 1));
      expect(closed).toBeGreaterThanOrEqual(failed.length);
      expect(closed).toBeLessThan(failed.length + 20);
      expect(inTransaction).toBeLessThanOrEqual(closed);
    },
  );

  it("are ended and counted where they are in a transaction, or wait for a statement that does not end", async () => {
    await startClient(
      "in-transaction",
      `(echo "begin; select 1;"; sleep 1000) | psql -Xq "$DATABASE_URL"`,
      "idle in transaction",
    );
    await startClient("at-work", `psql -Xqc "select pg_sleep(1000)" "$DATABASE_URL"`, "active");
    expect((await switchTo("app")).inTransaction).toBeGreaterThanOrEqual(2);
    await settled();
  });

  it("go on when the switch is killed while they wait, and the next one works", async () => {
    await startClient("at-work", `psql -Xqc "select pg_sleep(1000)" "$DATABASE_URL"`, "active");
    const suspended = "grep -c 'SUSPEND command issued' /var/log/postgresql/pgbouncer.log";
    const before = await shop.script("new", suspended);
    const kill = shop.script(
      "new",
      `set -e
timeout 300 bash -c 'until (($(${suspended.replaceAll("'", '"')}) > ${before})); do sleep 0.01; done'
systemctl kill --signal=KILL changeover-shop-database-switchover`,
    );
    await shop.stack.configure({ "changeover:phase": "database" });
    const [{ exitCode, all }] = await Promise.all([shop.stack.up(), kill]);
    expect(exitCode, all).not.toBe(0);
    await settled();
    await switchTo("database");
    await settled();
  });

  it("lose no acknowledged write, and no half of a transaction is there", async () => {
    await shop.script("new", "systemctl stop sessions");
    const rows = new Set((await query("new", "select row from kept")).split("\n").map(Number));
    const all = await written();
    const there = (write: Write) => write.rows.filter((row) => rows.has(row)).length;
    expect(all.length).toBeGreaterThan(500);
    expect(all.filter((write) => write.acknowledged && there(write) < write.rows.length)).toEqual([]);
    expect(all.filter((write) => there(write) === 1 && write.rows.length === 2)).toEqual([]);
  });
});
