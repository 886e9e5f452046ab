/** The command `changeover` and the outputs, at every phase, after an `up` that failed, and with things broken on the servers. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openShop, type Shop } from "../../demo/shop.ts";
import { demoAuthority } from "../../harness/cache.ts";
import type { CheckReport } from "../../cli/check/report.ts";
import type { StatusReport } from "../../cli/status/report.ts";

const checkout = join(import.meta.dirname, "../..");
const old = "198.51.100.10";
const fresh = "198.51.100.20";
let shop: Shop;
let watching: ReturnType<typeof changeover>;

beforeAll(async () => {
  shop = await openShop({ name: "test-command" });
  watching = changeover("watch", "--json", "--interval", "200ms", "--ca", demoAuthority);
});
afterAll(async () => {
  watching.kill("SIGTERM");
  await watching;
  await shop.close();
});

/** Runs the command as an operator does, in the stack's folder. */
function changeover(...args: string[]) {
  return shop.stack.execute("node", join(checkout, "cli/changeover.ts"), ...args);
}

async function check(): Promise<CheckReport & { all: string }> {
  const { exitCode, stdout, all } = await changeover("check", "--json");
  const report = JSON.parse(stdout) as CheckReport;
  // Preview's warnings of the demo's database are there in the beginning.
  report.problems = report.problems.filter(({ severity }) => severity !== "warning");
  expect(report.exitCode, all).toBe(exitCode);
  return { ...report, all };
}

async function status(): Promise<StatusReport> {
  const { exitCode, stdout, all } = await changeover("status", "--json");
  expect(exitCode, all).toBe(0);
  return JSON.parse(stdout) as StatusReport;
}

/** Everything is as it should be, by the command and by the outputs. */
async function expectWell(phase: string, before: string, database: "old" | "new"): Promise<void> {
  const report = await check();
  expect(wrong(report), report.all).toEqual([]);
  expect(report).toMatchObject({ exitCode: 0, ok: true, phase, servers: { reached: phase } });
  const user = phase === "idle" || phase === "prepared" ? "old" : "new";
  const command = phase === "finished" ? "" : `pulumi config set changeover:phase ${before} && pulumi up`;
  const address = phase === "finished" ? "" : old;
  expect(await status()).toMatchObject({
    phase: { settings: phase, servers: { reached: phase } },
    users: { side: user, maintenancePage: false },
    database: { side: database },
    rollback: { address, command, losesWrites: false },
  });
  expect(await shop.stack.outputs()).toMatchObject({
    phase,
    oldAddress: old,
    newAddress: fresh,
    rollbackAddress: address,
    rollbackCommand: command,
    rollbackLosesWrites: false,
  });
}

/** What is wrong, place and value. */
const wrong = ({ problems }: CheckReport) =>
  problems.filter(({ severity }) => severity === "error").map(({ place, value }) => `${place}: ${value}`);

describe("changeover", () => {
  it("says that all is well before anything was touched", async () => {
    await shop.moveTo("idle");
    await expectWell("idle", "idle", "old");
    const { stdout } = await changeover("status");
    expect(stdout).toMatch(/^ {2}users +served by old \(198\.51\.100\.10\)$/m);
  });

  it("names a unit that has stopped, with its remedy, and leaves no trace on the servers", async () => {
    await shop.moveTo("prepared");
    await expectWell("prepared", "idle", "old");
    const list = "find /var/log/changeover /var/lib/changeover -printf '%p %s %T@\\n' | sort";
    const before = await shop.script("new", list);
    await shop.on("new", "systemctl", "stop", "shop-web.service");
    const report = await check();
    expect(report.exitCode).toBe(1);
    expect(wrong(report)).toEqual(["new, step web-start (prepared): shop-web.service: should run on new"]);
    expect(report.problems[0]!.remedy).toContain("on new: systemctl restart the unit");
    const { stdout, exitCode } = await changeover("check");
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
    await expectWell("app", "prepared", "old");
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
    const { exitCode, stdout } = await changeover("status");
    expect(exitCode).toBe(2);
    expect(stdout).toContain("old is MUTE");
    await shop.stack.configure({ "changeover:old": { address: old, hostKey: shop.lab.old.hostKey } });
  });

  it("follows the database there, and has the report when all is done", async () => {
    await shop.moveTo("database");
    await expectWell("database", "app", "new");
    expect((await status()).replication).toMatchObject({ from: "new", to: "old", working: true, cut: "" });
    expect((await changeover("status")).stdout).toMatch(/^ {2}replication +old follows new, /m);

    await shop.moveTo("finished");
    await expectWell("finished", "", "new");
    const outputs = await shop.stack.outputs();
    const file = await shop.script("new", "cat /var/log/changeover/shop/report");
    expect(outputs.report).toContain(file);
    expect(file).toMatch(/^ {2}requests waited when old began to pass them on +\d+ ms$/m);
    expect(file).toMatch(/^ {2}copy of the database +\d+ s$/m);
    for (const line of [
      "old  finish-old +do +done",
      "new  jobs-start +do +failed",
      "old  access-gate +do +done",
    ])
      expect(file).toMatch(new RegExp(`Z {2}${line} +[0-9.]+ s$`, "m"));
    expect((await changeover("status")).stdout).toContain("none: the point of no return is passed");
  });

  it("has seen all of it from outside: nobody was turned away", async () => {
    watching.kill("SIGINT");
    const { exitCode, stdout, all } = await watching;
    const { summary } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as {
      summary: { targets: { address: string; ok: number; failed: number; notYet: number }[] };
    };
    const by = (address: string) => summary.targets.filter((target) => target.address === address);
    expect(by(old).length, all).toBe(2);
    for (const { ok, failed } of by(old)) expect([ok > 100, failed]).toEqual([true, 0]);
    for (const { ok, notYet } of by(fresh)) expect([ok > 100, notYet > 0]).toEqual([true, true]);
    // Its app was stopped, above.
    expect(by(fresh).every(({ failed }) => failed > 0)).toBe(true);
    expect(exitCode).toBe(1);
  });
});
