/** What people see of a move who do not run it: those who deploy, and those who use the site. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";

const closed = "/var/lib/changeover/deploys-closed";
const locks = ["/srv/shop/deploy.lock", "/run/lock/deploy-shop"];

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ name: "test-seen" });
  await configure({ operator: "Ada" });
});
afterAll(() => shop.close());

/** Sets some of the settings, and some of the site's in place of the demo's. */
async function configure(more: Record<string, unknown>, site: Record<string, unknown> = {}): Promise<void> {
  const own = demoSettings(shop.lab)["changeover:site"] as Record<string, unknown>;
  await shop.stack.configure({
    "changeover:site": { ...own, deployLocks: locks, ...site },
    ...Object.fromEntries(Object.entries(more).map(([key, value]) => [`changeover:${key}`, value])),
  });
}

/** Which of the files are there on a side. */
const present = (side: "old" | "new", files: readonly string[]) =>
  shop.script(side, `for file in ${files.join(" ")}; do [[ ! -e $file ]] || echo "$file"; done`);

describe("pages", () => {
  const here = { path: "/whoami", marker: '"host": "old"' };

  it("that differ are told by preview, and users are not led to new", async () => {
    await shop.moveTo("prepared");
    await configure({ phase: "prepared" }, { compare: ["/health", "/", "/nothing", here] });
    const preview = await shop.stack.preview();
    expect(preview.exitCode, preview.all).toBe(0);
    const told = preview.all.split("\n").filter((line) => line.includes("is the same page on old and new"));
    expect([...new Set(told.map((line) => line.replace(/^.*site, /, "")))]).toHaveLength(1);
    expect(told[0]).toContain(
      'site, /whoami: is the same page on old and new, but old answers 200, title "", new 200, title "", without the marker.',
    );
    await shop.stack.configure({ "changeover:phase": "app" });
    const refused = await shop.stack.up();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain(
      '/whoami: old answers 200, title ""; new answers 200, title "", without the marker',
    );
    expect(refused.all).toMatch(/step compare: 1 of 4 pages should be the same on old and new/);
    expect(await shop.script("old", "systemctl is-active shop-worker; ls /etc/cron.d")).toMatch(
      /^active[^]*shop/,
    );
    await configure({ phase: "app" }, { compare: ["/health", { path: "/", marker: "The Example Shop" }] });
    await shop.moveTo("app");
    await shop.moveTo("prepared");
  });
});

describe("deploys", () => {
  const repository = "/srv/git/shop.git";

  it("wait for a lock that somebody else holds, and leave it alone", async () => {
    await shop.script("old", `echo 'capistrano, pid 1' >${locks[0]}; chown shop: ${locks[0]}`);
    await configure({ phase: "app", stepDeadline: "14 seconds" });
    const refused = await shop.stack.up();
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain(
      `old, ${locks[0]}: is a lock that nobody holds, but it is held by shop since`,
    );
    expect(refused.all).toMatch(
      /step deploys-old: \/srv\/shop\/deploy\.lock: nobody else should hold this lock \(end that deploy, or remove the lock.*not reached within \d+ seconds; last seen: \/srv\/shop\/deploy\.lock is held by shop/,
    );
    expect(await shop.on("old", "cat", locks[0]!)).toBe("capistrano, pid 1");
    expect(await present("old", [closed, locks[1]!, `${repository}/hooks/pre-receive`])).toBe("");
    await shop.on("old", "rm", locks[0]!);
    await shop.stack.configure({ "changeover:stepDeadline": undefined });
  });

  it("that have begun end first, and come along", async () => {
    await shop.script(
      "old",
      `printf '#!/bin/bash\\ntouch /tmp/pushing\\nuntil [[ -e /tmp/go ]]; do sleep 0.1; done\\ntouch /tmp/pushed\\n' >${repository}/hooks/post-receive`,
    );
    const pushed = shop.script("old", push);
    await expect.poll(() => present("old", ["/tmp/pushing"]), { timeout: 120_000 }).toBe("/tmp/pushing");
    const moved = shop.moveTo("app");
    const log = "/var/log/changeover/shop/deploys-old.log";
    await expect
      .poll(() => shop.script("old", `tail -n 1 ${log} 2>/dev/null || true`), { timeout: 60_000 })
      .toContain("process");
    expect(await present("old", ["/tmp/pushed"])).toBe("");
    expect(await shop.script("old", push)).toContain("Deploys to this server are closed");
    for (const side of ["old", "new"] as const) await shop.on(side, "touch", "/tmp/go");
    await Promise.all([pushed, moved]);
    expect(await shop.on("new", "git", `--git-dir=${repository}`, "log", "-1", "--format=%s")).toBe("pushed");
  });

  it("find out why, who, since when and where to, by any tool and as any user", async () => {
    for (const side of ["old", "new"] as const) {
      const told = await shop.script(side, `runuser -u shop -- cat ${closed}`);
      expect(told).toMatch(
        /^Deploys to this server are closed: the site is moving from 198\.51\.100\.10 to 198\.51\.100\.20\.\nDeploy to 198\.51\.100\.20 when the move is finished\.\nmove: shop\nwho: Ada\nsince: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
      );
      for (const lock of locks) expect(await shop.on(side, "cat", lock)).toBe(told);
      expect((await shop.script(side, push)).replaceAll("remote: ", "")).toContain(told.split("\n")[3]!);
    }
    await shop.stack.configure({ "changeover:operator": "Eve" });
    expect((await shop.stack.up()).exitCode).toBe(0);
    expect(await shop.on("old", "cat", closed)).toContain("who: Ada");
  });

  it("are open again after the way back", async () => {
    await shop.moveTo("prepared");
    for (const side of ["old", "new"] as const) expect(await present(side, [closed, ...locks])).toBe("");
    expect(await shop.script("old", push)).toMatch(/HEAD -> \w+/);
  });
});

describe("the canary", () => {
  it("is a write through the site's name that is in new's database, follows to old's, and goes", async () => {
    const canary = {
      path: "/orders",
      body: '{"ref": "{token}"}',
      marker: "number",
      query: "select number from orders where ref = :'token'",
    };
    const found = (side: "old" | "new") =>
      shop.script(
        side,
        `cd / && runuser -u postgres -- psql -XAtqd shop -c "select count(*) from orders where ref like 'changeover-shop-%'"`,
      );
    await configure({ phase: "database" }, { canary: { ...canary, path: "/order" } });
    const wrong = await shop.stack.up();
    expect(wrong.exitCode).not.toBe(0);
    expect(wrong.all).toMatch(
      /step canary: POST \/order by 198\.51\.100\.10: should be answered by a status 2xx \(and the text 'number'\), but is by 404/,
    );
    await configure(
      { phase: "database" },
      { canary: { ...canary, query: "select from order where :'token' = ''" } },
    );
    expect((await shop.stack.up()).all).toMatch(
      /should be in new's database .*last seen: changeover:site\.canary\.query fails: .*syntax error/,
    );
    await configure({ phase: "database" }, { canary });
    await shop.moveTo("database");
    expect(await shop.stack.outputs()).toMatchObject({ canaryDatabase: "new" });
    expect([await found("new"), await found("old")]).toEqual(["2", "2"]);

    await shop.moveTo("app");
    const cleanup =
      "delete from jobs where order_number in (select number from orders where ref = :'token'); delete from orders where ref = :'token'";
    await configure({ phase: "database" }, { canary: { ...canary, cleanup } });
    await shop.moveTo("database");
    expect((await shop.stack.up()).changes).toMatchObject({ create: 0, update: 0, delete: 0 });
    expect(await found("new")).toBe("2");
    await expect.poll(() => found("old"), { timeout: 120_000 }).toBe("2");
  });
});

describe("deploys in the end", () => {
  it("are open on new when the move is finished, and are told on old where the site is", async () => {
    await shop.moveTo("finished");
    expect(await present("new", [closed, ...locks])).toBe("");
    for (const file of [closed, ...locks])
      expect(await shop.on("old", "cat", file)).toMatch(
        /^Deploys to this server are closed: the site has moved from .*\nDeploy to 198\.51\.100\.20\.\nmove: shop\nwho: /,
      );
    expect(await shop.script("old", push)).toContain("the site has moved from");
    expect(await shop.script("new", push)).toMatch(/HEAD -> \w+/);
  });
});

/** Pushes a commit to the shop's repository, as its deployer would; what git prints. */
const push = `runuser -u shop -- bash -c 'cd /tmp && work=$(mktemp -d) && git clone -q /srv/git/shop.git "$work" && cd "$work" &&
git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m pushed && git push origin HEAD; rm -rf "$work"' 2>&1; true`;
