/** A killed pulumi and a lost connection in the middle of the copy: the work goes on, and the next `up` follows it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoSettings } from "../../demo/settings.ts";
import { audit, openShop, type Shop } from "../../demo/shop.ts";

let shop: Shop;
let database: object;
beforeAll(async () => {
  shop = await openShop({
    name: "test-interrupted",
    database: { strategy: "dump" },
    env: { DEMO_ROWS: "1200000" },
  });
  // The line from old to new is slow enough for the copy to last while pulumi starts again.
  await shop.network(
    "tc",
    "qdisc",
    "add",
    "dev",
    "vb-new",
    "root",
    "tbf",
    "rate",
    "60mbit",
    "burst",
    "256kb",
    "latency",
    "50ms",
  );
  database = demoSettings(shop.lab, { strategy: "dump" })["changeover:database"] as object;
  await shop.moveTo("app");
  await shop.stack.configure({ "changeover:phase": "database" });
});
afterAll(() => shop.close());

const progress = "cat /var/lib/changeover/shop/database-switch/progress 2>/dev/null || true";
const starts =
  "grep -c 'started changeover-shop-database-switch' /var/log/changeover/shop/database-switch.log || true";

/** Ends the sshd of the connection through which the step is followed, and nothing else. */
const cutConnection = `
for _ in $(seq 200); do
  for p in $(pgrep -f 'database-switch/script do'); do
    while [ "\${p:-1}" -gt 1 ]; do
      case $(cat "/proc/$p/comm" 2>/dev/null) in sshd*) kill -9 "$p" && exit 0 ;; esac
      p=$(ps -o ppid= -p "$p" | tr -d ' ')
    done
  done
  sleep 0.1
done
echo "no connection is followed" >&2
exit 1`;

/** Waits until the copy's progress says something. */
async function reached(pattern: RegExp): Promise<void> {
  const end = Date.now() + 180_000;
  let seen = "";
  while (!pattern.test(seen)) {
    if (Date.now() > end)
      throw new Error(`the copy did not reach ${pattern} within three minutes; it said: ${seen}`);
    seen = await shop.script("new", progress);
  }
}

describe("in the middle of the database's copy", () => {
  it("goes on when pulumi is killed as it begins and the connection is lost half-way; the next `up` follows", async () => {
    const client = shop.startClient();
    await client.settled(20);
    const killed = shop.stack.start("up", "--yes", "--skip-preview");
    await reached(/^copying big tables/m);
    killed.kill("SIGKILL");
    await killed;
    const locked = await shop.stack.up();
    expect(locked.exitCode).not.toBe(0);
    expect(locked.all).toMatch(/currently locked/);
    expect((await shop.stack.cancel()).exitCode).toBe(0);

    const cut = shop.stack.start("up", "--yes", "--skip-preview");
    await reached(/^copy: /m);
    await shop.script("new", cutConnection);
    expect((await cut).exitCode).not.toBe(0);
    const next = await shop.stack.up();
    expect(next.exitCode, next.all).toBe(0);
    expect(next.all).toMatch(
      /following changeover-shop-database-switch|finished on new while nobody was following|copySeconds=\d/,
    );
    await client.settled(20);
    const seen = await client.stop();

    expect(await shop.script("new", starts)).toBe("1");
    expect(seen.failures).toEqual([]);
    expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    const again = await shop.stack.up();
    expect(again.changes, again.all).toMatchObject({ create: 0, update: 0, delete: 0, replace: 0 });
    const { copySeconds, maintenanceSeconds } = await shop.stack.outputs();
    expect(copySeconds).toBeGreaterThan(0);
    expect(maintenanceSeconds).toBeGreaterThan(0);
  });
});

describe("the switch itself", () => {
  it("puts users back on old's database when its unit is killed, and is done by the next `up`", async () => {
    await shop.stack.configure({ "changeover:acceptLostWrites": 1_000_000 });
    await shop.moveTo("app");
    // Now all of the copy is behind the page.
    await shop.stack.configure({ "changeover:database": { ...database, copyAhead: "1 TB" } });
    const client = shop.startClient();
    await client.settled(20);
    await shop.stack.configure({ "changeover:phase": "database" });
    const cut = shop.stack.start("up", "--yes", "--skip-preview");
    await reached(/^copying the rest of shop\ncopy: /m);
    await shop.on("new", "systemctl", "kill", "--signal=KILL", "changeover-shop-database-switch");
    const { exitCode, all } = await cut;
    expect(exitCode).not.toBe(0);
    expect(all).toContain("The site is served as before");
    await client.settled(40);
    const between = await shop.orders("old");
    expect(
      await shop.script(
        "new",
        "cd / && runuser -u postgres -- psql -XAtqc \"select count(*) from pg_database where datname = 'shop'\"",
      ),
    ).toBe("0");
    await shop.moveTo("database");
    await client.settled(20);
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    expect(between.length).toBeGreaterThan(0);
  });
});

describe("a way back that fails half-way", () => {
  it("is no way forward: preview says which step, and how to end it", async () => {
    await shop.moveTo("app");
    await shop.script(
      "old",
      `cat >/usr/local/bin/systemctl <<'SH'
#!/bin/bash
if [[ $1 == start && -e /var/lib/changeover/shop/jobs-stop/undoing ]]; then exit 1; fi
exec /usr/bin/systemctl "$@"
SH
chmod 755 /usr/local/bin/systemctl`,
    );
    await shop.stack.configure({ "changeover:phase": "prepared" });
    const failed = await shop.stack.up();
    expect(failed.exitCode).not.toBe(0);
    expect(failed.all).toContain("the undo of step jobs-stop failed on old");
    await shop.on("old", "rm", "/usr/local/bin/systemctl");
    await shop.stack.configure({ "changeover:phase": "app" });
    const forward = await shop.stack.up();
    expect(forward.exitCode).not.toBe(0);
    expect(forward.all).toContain(
      "old, step jobs-stop: is done as a whole in phase 'app', but its way back was cut off",
    );
    expect(forward.all).toContain("pulumi config set changeover:phase prepared");
    await shop.moveTo("prepared");
    await shop.moveTo("app");
  });
});
