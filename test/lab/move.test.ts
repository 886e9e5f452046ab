/** The whole move, forward, with a client that never pauses. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, openShop, type Shop } from "../../demo/shop.ts";
import { expectUnchanged, journals } from "./compare.ts";

const phases = ["prepared", "app", "database", "dns", "finished"];
let shop: Shop;

/** What must not change while nothing is done: both servers, and what steps have logged there. */
async function snapshot() {
  const [old, fresh] = await Promise.all(
    (["old", "new"] as const).map((side) => shop.fingerprint(side, "without rows")),
  );
  return { old: old!, fresh: fresh!, logs: await journals(shop) };
}

describe.each(["replicate", "dump"])("from idle to finished by %s, with users on the site", (strategy) => {
  beforeAll(async () => {
    shop = await openShop({ name: "test-move", database: { strategy } });
  });
  afterAll(() => shop.close());

  it("loses and doubles no write, and fails no request; by dump, users see the page while the database is copied", async () => {
    const untouched = await snapshot();
    const preview = await shop.stack.preview();
    expect(preview.exitCode, preview.all).toBe(0);
    expect(preview.stdout).toContain("Run sheet of move shop");
    expectSame(untouched, await snapshot());

    const client = shop.startClient();
    await client.settled(50);
    for (const phase of phases) {
      if (phase === "finished" && strategy === "replicate") await expectToWaitForStragglers();
      await shop.moveTo(phase);
      await client.settled(30);
      await expectNothingToDo(phase, strategy);
    }
    const seen = await client.stop();

    expect(seen.failures).toEqual([]);
    expect(seen.failed).toBe(0);
    expect(seen.requests).toBeGreaterThan(300);
    expect(seen.maintenanceSeconds > 0).toBe(strategy === "dump");
    const writes = audit(seen.entries, await shop.orders("new"));
    expect(writes).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    const servedLast = seen.entries.slice(-30).flatMap(({ host }) => (host ? [host] : []));
    expect(new Set(servedLast)).toEqual(new Set(["new"]));
  });

  it("has one owner of jobs and cron: every job ran once, and each on one server", async () => {
    const rows = await shop.script(
      "new",
      `cd / && runuser -u postgres -- psql -XAtq -d shop -c "select count(*), count(distinct job_id) from job_runs"`,
    );
    const [runs, jobs] = rows.split("|").map(Number);
    expect(runs).toBeGreaterThan(10);
    expect(jobs).toBe(runs);
    expect(
      await shop.on(
        "old",
        "bash",
        "-c",
        "ls /etc/cron.d; crontab -l -u shop 2>&1; systemctl is-active shop-worker shop-web || true",
      ),
    ).not.toMatch(/^shop$|^active$/m);
    expect(
      await shop.on("new", "bash", "-c", "ls /etc/cron.d; systemctl is-active shop-worker shop-web"),
    ).toMatch(/^shop$/m);
  });

  it("closes new's access to old, and takes deploys on new alone", async () => {
    expect(
      await shop.on(
        "old",
        "bash",
        "-c",
        "cat /root/.ssh/authorized_keys /etc/postgresql/15/main/pg_hba.conf",
      ),
    ).not.toContain("changeover");
    const refused = await push("old");
    expect(refused).toContain("Deploys to this server are closed");
    expect(refused).toContain("Deploy to 198.51.100.20");
    expect(await push("new")).toMatch(/HEAD -> \w+/);
  });

  it("keeps in its journal why those who still come to old are left behind", async () => {
    const journal = await shop.on("new", "cat", "/var/log/changeover/shop/journal");
    expect(journal.includes("\tstragglers accepted\tthe demo's client goes on")).toBe(strategy === "dump");
  });

  it("touches no server when the finished stack is destroyed", async () => {
    const before = await snapshot();
    const { exitCode, all } = await shop.stack.destroy();
    expect(exitCode, all).toBe(0);
    expectSame(before, await snapshot());
    expect((await shop.stack.exportState()).resources).toEqual([]);
  });
});

/** Pushes an empty commit to the shop's repository on a side, as its deployer would; what git prints. */
function push(side: "old" | "new"): Promise<string> {
  return shop.script(
    side,
    `runuser -u shop -- bash -c 'cd /tmp && work=$(mktemp -d) && git clone -q /srv/git/shop.git "$work" && cd "$work" &&
    git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m test && git push origin HEAD; rm -rf "$work"' 2>&1; true`,
  );
}

/** The client comes by old's address: the last phase is refused and says so, until that address is named as one that does not count. */
async function expectToWaitForStragglers(): Promise<void> {
  const before = await snapshot();
  await shop.stack.configure({
    "changeover:phase": "finished",
    "changeover:stragglers": { quiet: "5 seconds" },
  });
  const refused = await shop.stack.up();
  expect(refused.exitCode).not.toBe(0);
  const [, client] =
    /nobody has come to old for 5 s, but (\S+) with \d+ requests?, the last \d+ s ago for \/\S* \(.*\)/.exec(
      refused.all,
    ) ?? [];
  expect(client, refused.all).toBeDefined();
  expect(refused.all).toContain("1 thing stops this move; nothing was touched");
  expectSame(before, await snapshot());
  await shop.stack.configure({ "changeover:stragglers": { quiet: "5 seconds", ignore: client! } });
}

/** A second `up` and a preview change nothing and run no command. */
async function expectNothingToDo(phase: string, strategy: string): Promise<void> {
  const before = await snapshot();
  const preview = await shop.stack.preview();
  const up = await shop.stack.up();
  expect(preview.exitCode, preview.all).toBe(0);
  expect(up.exitCode, up.all).toBe(0);
  expect({ ...up.changes, same: 0 }, `${phase}: ${up.all}`).toEqual({
    create: 0,
    update: 0,
    delete: 0,
    replace: 0,
    same: 0,
  });
  expect(up.changes.same).toBeGreaterThan(2);
  expectSame(before, await snapshot());
  expect(await shop.stack.outputs()).toMatchObject({
    phase,
    oldAddress: "198.51.100.10",
    newAddress: "198.51.100.20",
    rollbackAddress: phase === "finished" ? "" : "198.51.100.10",
    rollbackLosesWrites: strategy === "dump" && (phase === "database" || phase === "dns"),
  });
}

function expectSame(
  before: Awaited<ReturnType<typeof snapshot>>,
  after: Awaited<ReturnType<typeof snapshot>>,
): void {
  expectUnchanged(before.old, after.old);
  expectUnchanged(before.fresh, after.fresh);
  expect(after.logs).toEqual(before.logs);
}
