/**
 * The strategy replicate for an app that cannot use PgBouncer: its own file leads it to a database, and users see the maintenance page
 * while it restarts. They write all the time.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLedger } from "../../demo/ledger.ts";
import { audit, type Client, openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged } from "../lab/compare.ts";
import { watchLogins } from "../lab/logins.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({
    name: "test-config-file",
    database: {
      endpoint: { file: "/etc/shop/shop.env", address: "127.0.0.1:5432", through: "configFile" },
    },
    // How quick this machine is does not matter here.
    settings: { "changeover:holdBudget": "1 minute" },
    // No PgBouncer.
    env: { LAB_NEW_PACKAGES: "gunicorn python3-psycopg2 git" },
  });
});
afterAll(() => shop.close());

const sides = ["old", "new"] as const;
const nothing = { create: 0, update: 0, delete: 0 };

/** One value from a side's shop database, as superuser. */
function query(side: "old" | "new", sql: string): Promise<string> {
  return shop.script(side, `cd / && runuser -u postgres -- psql -XAtq shop <<'SQL'\n${sql}\nSQL`);
}

/** How often users have seen the page. */
function pages(client: Client): number {
  return readLedger(client.ledger).filter(({ outcome }) => outcome === "maintenance").length;
}

/** Waits for some more requests; whether users have seen the page since a count. */
async function sawPage(client: Client, before: number): Promise<boolean> {
  await client.settled(100);
  return pages(client) > before;
}

/** What the app on new is led to, whether its jobs and cron are on, and which units run since when. */
async function onNew(): Promise<{ database: string; jobs: string; units: string }> {
  const [database, jobs, units] = await Promise.all([
    shop.script("new", "grep -o '@[^/]*' /etc/shop/shop.env"),
    shop.script("new", "systemctl is-active shop-worker; ls /etc/cron.d/shop /var/spool/cron/crontabs/shop"),
    shop.script("new", "systemctl show --property=MainPID --value shop-web shop-live shop-worker"),
  ]);
  return { database: database.trim(), jobs, units };
}

const oldDatabase = "@198.51.100.10:5432";
const newDatabase = "@127.0.0.1:5432";
const jobsOn = "active\n/etc/cron.d/shop\n/var/spool/cron/crontabs/shop";

/** The app works with a side's database, which alone takes its logins; jobs and cron are on, and users see no page. */
async function expectServedBy(side: "old" | "new", client: Client): Promise<void> {
  const before = pages(client);
  expect(await sawPage(client, before)).toBe(false);
  expect(await onNew()).toMatchObject({ database: side === "old" ? oldDatabase : newDatabase, jobs: jobsOn });
  for (const other of sides)
    expect(await query(other, "select rolcanlogin from pg_roles where rolname = 'shop'"), other).toBe(
      other === side ? "t" : "f",
    );
}

/** Runs `up` to a phase, and sees it fail. */
async function failsTo(phase: string): Promise<string> {
  await shop.stack.configure({ "changeover:phase": phase });
  const { exitCode, all } = await shop.stack.up();
  expect(exitCode, all).not.toBe(0);
  return all;
}

let before: Record<string, string[]>;
let client: Client;
beforeAll(async () => {
  before = Object.fromEntries(
    await Promise.all(
      sides.map(async (side) => [side, await shop.fingerprint(side, "without rows")] as const),
    ),
  );
  client = shop.startClient();
  await client.settled(50);
});

describe("with users on the site", () => {
  it("shows the page when old's PostgreSQL restarts, and at each switch, and never else", async () => {
    await shop.moveTo("prepared");
    expect(await sawPage(client, 0), "prepared").toBe(false);
    await shop.moveTo("app");
    expect(await sawPage(client, 0), "PostgreSQL on old restarts").toBe(true);
    const stop = await watchLogins(shop);
    for (const phase of ["database", "app"]) {
      const shown = pages(client);
      await shop.moveTo(phase);
      expect(await sawPage(client, shown), phase).toBe(true);
      const { changes } = await shop.stack.up();
      expect(changes, `a second up at ${phase}`).toMatchObject(nothing);
      await expectServedBy(phase === "database" ? "new" : "old", client);
    }
    const logins = await stop();
    expect(logins.samples).toBeGreaterThan(500);
    expect(logins.both).toBe(0);
    expect(await shop.script("new", "dpkg-query --show pgbouncer 2>&1 || true")).toContain(
      "no packages found",
    );
  });

  it("shows none where the switch cannot begin, and the app runs on", async () => {
    const [units, shown] = [await onNew(), pages(client)];
    await query("new", "create table surprise (id int)");
    expect(await failsTo("database")).toContain("on old and new differ");
    expect(await onNew()).toEqual(units);
    expect(await sawPage(client, shown)).toBe(false);
    await query("new", "drop table surprise");
  });
});

describe("a switch that dies", () => {
  it("after the fence: users come back to old by themselves, and the next up finishes", async () => {
    await killBefore("drain");
    await failsTo("database");
    await expectServedBy("old", client);
    await shop.moveTo("database");
    await expectServedBy("new", client);
    const outputs = await shop.stack.outputs();
    expect(outputs["maintenanceSeconds"]).toBeGreaterThan(0);
    expect(outputs["databaseHoldMilliseconds"]).toBe(-1);
    expect(outputs["rollbackLosesWrites"]).toBe(false);
  });

  it("on the way back, after the fence: users stay on new; after the decision: they come to old", async () => {
    await killBefore("drain");
    await failsTo("app");
    await expectServedBy("new", client);
    await killBefore("unfence_side");
    await shop.moveTo("app");
    await expectServedBy("old", client);
  });
});

describe("an app that does not work with new's database", () => {
  it("comes back to old, with what it wrote meanwhile, and goes over once it works", async () => {
    const rules = "/etc/postgresql/17/main/pg_hba.conf";
    const reload = "cd / && runuser -u postgres -- psql -XAtqc 'select pg_reload_conf()' >/dev/null";
    await shop.script(
      "new",
      `cp -a ${rules} /root/hba && sed -i '1i host shop shop 127.0.0.1/32 reject' ${rules} && ${reload}\n${onAppStart}`,
    );
    expect(await failsTo("database")).toContain("/health");
    await shop.script(
      "new",
      `rm -r /etc/systemd/system/shop-web.service.d && systemctl daemon-reload; mv /root/hba ${rules} && ${reload}`,
    );
    await expectServedBy("old", client);
    expect(await query("old", "select count(*) > 0 from job_runs where host = 'app start'")).toBe("t");
    await killBefore("unfence_side");
    await shop.moveTo("database");
    await expectServedBy("new", client);
  });
});

describe("at the end", () => {
  it("no request has failed, no write was lost or doubled, and both servers are as before", async () => {
    await shop.script("new", "systemctl unset-environment BASH_ENV; rm /root/strike.sh");
    await shop.moveTo("idle");
    await client.settled(50);
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    expect(audit(seen.entries, await shop.orders("old"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    for (const side of sides) expectUnchanged(before[side]!, await shop.fingerprint(side, "without rows"));
  });
});

/** The app's start writes a row into new's database once it is the users' one, as an app may that works but for its checks. */
const onAppStart = `
mkdir -p /etc/systemd/system/shop-web.service.d
cat >/etc/systemd/system/shop-web.service.d/row.conf <<'UNIT'
[Service]
ExecStartPre=+/bin/bash -c "cd / && runuser -u postgres -- psql -XAtqc \\"insert into job_runs select -3, 'app start', now() from pg_roles where rolname = 'shop' and rolcanlogin\\" shop"
UNIT
systemctl daemon-reload`;

/** The next switch's unit is killed, once, before it calls a function while its writes are handed over. */
async function killBefore(name: string): Promise<void> {
  await shop.script(
    "new",
    `cat >/root/strike.sh <<'SH'
case $(tr '\\0' ' ' <"/proc/$$/cmdline") in
  */database-switchover/script.work\\ switch\\ | */database-switchover/script.work\\ back\\ )
    set -T
    trap 'case $\{FUNCNAME[0]:-}:$BASH_COMMAND in
      "hand_over_writes:${name} "*) [[ ! -e /run/strike ]] || { rm /run/strike; kill -KILL $$; } ;;
    esac' DEBUG
    ;;
esac
SH
: >/run/strike
systemctl set-environment BASH_ENV=/root/strike.sh`,
  );
}
