/** The command `changeover` and the outputs after an `up` that failed, and with things broken on the servers; journeys ask them at each phase. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";
import type { CheckReport } from "../../cli/check/report.ts";
import type { StatusReport } from "../../cli/status/report.ts";
import { changeover, wrong } from "../journeys/questions.ts";

const old = "198.51.100.10";
let shop: Shop;

beforeAll(async () => {
  shop = await openShop({ name: "test-command", from: "prepared" });
});
afterAll(() => shop.close());

async function check(): Promise<CheckReport & { all: string }> {
  const { exitCode, stdout, all } = await changeover(shop, "check", "--json");
  const report = JSON.parse(stdout) as CheckReport;
  // Preview's warnings of the demo's database are there in the beginning.
  report.problems = report.problems.filter(({ severity }) => severity !== "warning");
  expect(report.exitCode, all).toBe(exitCode);
  return { ...report, all };
}

async function status(): Promise<StatusReport> {
  const { exitCode, stdout, all } = await changeover(shop, "status", "--json");
  expect(exitCode, all).toBe(0);
  return JSON.parse(stdout) as StatusReport;
}

describe("changeover", () => {
  it("names a unit that has stopped, with its remedy, and leaves no trace on the servers", async () => {
    const list = "find /var/log/changeover /var/lib/changeover -printf '%p %s %T@\\n' | sort";
    const before = await shop.script("new", list);
    await shop.on("new", "systemctl", "stop", "shop-web.service");
    const report = await check();
    expect(report.exitCode).toBe(1);
    expect(wrong(report)).toEqual(["new, step web-start (prepared): shop-web.service: should run on new"]);
    expect(report.problems[0]!.remedy).toContain("on new: systemctl restart the unit");
    const { stdout, exitCode } = await changeover(shop, "check");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ {2}prepared +new +web-start +WRONG/m);
    await shop.on("new", "systemctl", "start", "shop-web.service");
    expect((await check()).exitCode).toBe(0);
    expect(await shop.script("new", list)).toBe(before);
  });

  it("tells the truth after an up that failed, when users are on new already", async () => {
    const dropIn = "/etc/systemd/system/shop-worker.service.d";
    await shop.script(
      "new",
      `mkdir -p ${dropIn} && printf '[Service]\\nExecStartPre=/bin/false\\nRestart=no\\n' >${dropIn}/broken.conf && systemctl daemon-reload`,
    );
    await shop.stack.configure({ "changeover:phase": "app" });
    const failed = await shop.stack.up();
    expect(failed.exitCode).not.toBe(0);
    expect(failed.all).toContain("step jobs-start failed on new");

    // The engine keeps the outputs of before: their way back leads from here, too.
    expect(await shop.stack.outputs()).toMatchObject({
      phase: "prepared",
      rollbackAddress: old,
      rollbackCommand: "pulumi config set changeover:phase idle && pulumi up",
    });
    const seen = await status();
    expect(seen).toMatchObject({
      phase: { settings: "app", servers: { reached: "prepared", partial: { phase: "app" } } },
      users: { side: "new", through: "old's address" },
      rollback: { address: old, command: "pulumi config set changeover:phase prepared && pulumi up" },
    });
    expect(seen.journal).toContainEqual(
      expect.objectContaining({ side: "new", step: "jobs-start", verb: "do", ended: "failed" }),
    );
    const report = await check();
    expect(report.exitCode).toBe(1);
    expect(wrong(report)).toHaveLength(1);
    expect(wrong(report)[0]).toMatch(
      /^changeover:phase: it is app, and they are at prepared, and \d+ of \d+ steps/,
    );
    await shop.script("new", `rm -r ${dropIn} && systemctl daemon-reload`);
    await shop.moveTo("app");
    expect((await check()).exitCode).toBe(0);
  });

  it("names a configuration that somebody has taken back, and every other thing that is wrong", async () => {
    const file = "$(readlink -f /etc/nginx/sites-enabled/shop)";
    await shop.script(
      "old",
      `cp -a ${file} /root/kept && sed -i /pass-on/d ${file} && systemctl start shop-worker`,
    );
    const report = await check();
    expect(report.exitCode).toBe(1);
    expect(wrong(report)).toEqual([
      "old, step jobs-stop (app): shop-worker.service: should be stopped on old",
      "new, step traffic (app): old's nginx should pass shop.example.org www.shop.example.org on to new",
    ]);
    expect(report.problems[1]!.remedy).toContain("/etc/nginx/changeover/shop-pass-on.conf");
    await shop.script("old", `systemctl stop shop-worker; cp -a /root/kept ${file}; rm /root/kept`);
    expect((await check()).exitCode).toBe(0);
  });

  it("says when it could not find out", async () => {
    await shop.stack.configure({
      "changeover:old": { address: old, hostKey: `${shop.lab.new.hostKey.slice(0, -4)}AAAA` },
    });
    const report = await check();
    expect(report.exitCode).toBe(2);
    expect(report.problems).toEqual([
      expect.objectContaining({ severity: "unknown", place: `old (${old})` }),
    ]);
    const { exitCode, stdout } = await changeover(shop, "status");
    expect(exitCode).toBe(2);
    expect(stdout).toContain("old is MUTE");
    await shop.stack.configure({ "changeover:old": { address: old, hostKey: shop.lab.old.hostKey } });
  });
});
