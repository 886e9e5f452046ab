/** The app's role serves another database of old too: that one never notices the fence, which holds all the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged } from "../lab/compare.ts";
import { watchLogins } from "../lab/logins.ts";

let shop: Shop;
let before: string[];
beforeAll(async () => {
  shop = await openShop({ name: "test-shared", env: { DEMO_DB_PASSWORD: "writer" } });
  // Where old's PostgreSQL can be followed already, the move does not restart it under the other database.
  await shop.script(
    "old",
    `${asPostgres("postgres", "alter system set wal_level = 'logical'")}
${restart}
${asPostgres("postgres", "create database blog owner shop")}
${asPostgres("blog", "set role shop; create table posts (id bigint generated always as identity primary key)")}`,
  );
  before = await shop.fingerprint("old", "without rows");
  for (const script of ["keepPosting.py", "slowLogin.py"])
    await shop.script(
      "old",
      `cat >/tmp/${script} <<'PY'\n${readFileSync(join(import.meta.dirname, script), "utf8")}PY`,
    );
});
afterAll(() => shop.close());

const asPostgres = (database: string, sql: string) =>
  `cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 ${database} <<'SQL'\n${sql}\nSQL`;
const restart =
  "systemctl restart 'postgresql@*'; cd / && timeout 30 sh -c 'until runuser -u postgres -- pg_isready -q; do sleep 0.1; done'";

/** Starts the other database's app. */
async function startPosting(): Promise<void> {
  await shop.script("old", "systemd-run --quiet --unit=posting python3 /tmp/keepPosting.py /tmp/posts");
  await posted(5);
}

/** Waits for some more posts. */
async function posted(more: number): Promise<void> {
  const count = async () => Number(await shop.script("old", "grep -c '^ok' /tmp/posts || true"));
  const wanted = (await count()) + more;
  await expect.poll(count, { timeout: 60_000, interval: 200 }).toBeGreaterThan(wanted);
}

/** Stops it: no statement and no login of it has failed so far. */
async function stopPosting(): Promise<void> {
  await shop.script("old", "systemctl stop posting");
  expect(await shop.script("old", "grep -v '^ok' /tmp/posts || true")).toBe("");
}

/** What a login of the app's role to one of old's databases says, by socket or by network. */
async function login(database: string, host: string): Promise<string> {
  return shop.script(
    "old",
    `PGPASSWORD=writer psql -XAtc 'select 1' 'host=${host} dbname=${database} user=shop' 2>&1 || true`,
  );
}

/** Everything of a fence that can be seen on a server. */
async function leftOver(side: "old" | "new"): Promise<string> {
  return shop.script(
    side,
    `${asPostgres("postgres", "select rolname from pg_roles where rolname ~ 'changeover'")}
grep changeover "$(runuser -u postgres -- psql -XAtc 'show hba_file')" || true`,
  );
}

describe("a role of two databases", () => {
  it("goes on in the other one while the site's is fenced, again and again, and a login that was under way does not slip in", async () => {
    await shop.moveTo("app");
    await startPosting();
    await shop.script(
      "old",
      `systemd-run --quiet --unit=slow-login python3 /tmp/slowLogin.py
timeout 20 sh -c 'until ss -ltn | grep -q :5499; do sleep 0.1; done'
systemd-run --quiet --unit=slow-client --setenv=PGPASSWORD=writer bash -c \\
  'psql -XAtc "select 1" "host=127.0.0.1 port=5499 dbname=shop user=shop sslmode=disable" >/tmp/slow 2>&1; echo ended >>/tmp/slow'
timeout 20 sh -c 'until [ -e /tmp/slow-login.waits ]; do sleep 0.1; done'`,
    );
    const stop = await watchLogins(shop);
    await shop.moveTo("database");
    await shop.script(
      "old",
      "touch /tmp/slow-login.go; timeout 20 sh -c 'until grep -q ended /tmp/slow; do sleep 0.1; done'",
    );
    expect(await shop.script("old", "cat /tmp/slow")).not.toMatch(/^1$/m);
    for (const host of ["127.0.0.1", "/var/run/postgresql"]) {
      expect(await login("shop", host)).toContain("pg_hba.conf rejects connection");
      expect(await login("shop", host)).not.toMatch(/^1$/m);
    }
    expect(await login("blog", "127.0.0.1")).toBe("1");
    await posted(20);
    await shop.moveTo("app");
    expect(await login("shop", "127.0.0.1")).toBe("1");
    await posted(20);
    await shop.moveTo("database");
    const logins = await stop();
    expect(logins.samples).toBeGreaterThan(500);
    expect(logins.both).toBe(0);
    await stopPosting();
  });

  it("stays out after a restart of PostgreSQL", async () => {
    await shop.script("old", restart);
    expect(await login("shop", "127.0.0.1")).toContain("pg_hba.conf rejects connection");
    expect(await login("blog", "127.0.0.1")).toBe("1");
  });

  it("is as it was after the way back, and nothing is left", async () => {
    await startPosting();
    await shop.moveTo("idle");
    await posted(20);
    await stopPosting();
    expect(await login("shop", "127.0.0.1")).toBe("1");
    for (const side of ["old", "new"] as const) expect(await leftOver(side)).toBe("");
    await shop.script("old", "rm /tmp/posts /tmp/slow*");
    expectUnchanged(before, await shop.fingerprint("old", "without rows"));
  });

  it("stays out of the database that users have left once the move is finished, without anything of the move", async () => {
    await shop.moveTo("finished");
    expect(await login("shop", "127.0.0.1")).toContain("too many connections for database");
    expect(await login("blog", "127.0.0.1")).toBe("1");
    for (const side of ["old", "new"] as const) expect(await leftOver(side)).toBe("");
  });
});
