/**
 * A release on a copy of the machine, whole: old and its copy on the lab, their instances, snapshots and address at moto. Users come by the Elastic IP all
 * the time. What moto does, the lab does: a snapshot is old's disk at one moment, an instance of it is a server that boots from that.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  type EC2Client,
  type Instance,
} from "@aws-sdk/client-ec2";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guardWrites, sharedForkSettings } from "../../components/fork/steps.ts";
import type { CheckReport } from "../../cli/check/report.ts";
import type { ForkStatusReport } from "../../cli/status/fork.ts";
import type { ForkReached } from "../../stacks/forkOutputs.ts";
import type { Lab } from "../../demo/settings.ts";
import { demoSettings, maintenanceMessage } from "../../demo/settings.ts";
import { audit, type Client, demoSite, openShop, type Shop } from "../../demo/shop.ts";
import { parseForkConfig } from "../../stacks/config.ts";
import type { Call } from "../engine/awsFront.ts";
import { expectUnchanged } from "../lab/compare.ts";
import {
  answering,
  elasticIp,
  heldSides,
  type LabAccount,
  openAccount,
  runInstances,
} from "../lab/elasticIp.ts";
import { beInstance, instanceFile } from "../lab/instance.ts";
import { checked, settingsOf, StepRunner } from "../lab/stepRunner.ts";

const checkout = join(import.meta.dirname, "../..");
const nothing = { create: 0, update: 0, delete: 0 };
const copyName = "shop-copy";
/** Beside its address in the lab, a copy has the one that moto gives it. */
const networkFile = "/etc/systemd/network/10-lab.network.d/instance.conf";
const folder = mkdtempSync(join(tmpdir(), "changeover-vm-fork-"));
const inventory = join(folder, "hosts");

let shop: Shop;
let account: LabAccount;
let client: Client;
let before: string[];

/** The demo's shop, as a machine that is copied. */
function forkSettings(lab: Lab): Record<string, unknown> {
  const demo = demoSettings(lab);
  const { names, checks } = demo["changeover:site"] as Record<string, unknown>;
  return {
    "changeover:runbook": "vmFork",
    "changeover:move": "shop",
    "changeover:phase": "idle",
    "changeover:old": demo["changeover:old"],
    "changeover:privateKeyFile": lab.keyFile,
    "changeover:site": { names, checks, jobs: "shop-worker.service", files: "/srv/shop/uploads" },
    "changeover:fork": {
      database: { where: "machine", name: "shop" },
      readOnly: { on: "shop-read-only on", off: "shop-read-only off" },
      release: [
        {
          command: `psql -qd shop -c "alter table products add column subtitle text"`,
          back: `psql -qd shop -c "alter table products drop column subtitle"`,
          user: "postgres",
        },
        {
          command: `sed -i 's|<h1>The Example Shop|&, second edition|' /srv/shop/app/web.py && systemctl restart shop-web`,
          back: `sed -i 's|, second edition||' /srv/shop/app/web.py && systemctl restart shop-web`,
        },
      ],
      inventory: { file: inventory },
    },
  };
}

/** What an operator has for a site that cannot be read-only by itself: no request that writes, no job. */
const readOnlyMode = `
: >/etc/nginx/shop-read-only
sed -i 's|client_max_body_size 20m;|&\\n    include /etc/nginx/shop-read-only;\\n    error_page 503 @closed;\\n    location @closed { add_header Retry-After 30 always; return 503 "${maintenanceMessage.replace("&", "\\&amp;")}"; }|' /etc/nginx/sites-available/shop
systemctl reload nginx
cat >/usr/local/sbin/shop-read-only <<'SH'
#!/bin/bash
set -e
workers=$(pgrep -P "$(cat /run/nginx.pid)" || true)
case $1 in
  on) printf 'if ($request_method !~ ^(GET|HEAD)$) { return 503; }\\n' ;;
  off) ;;
esac >/etc/nginx/shop-read-only
systemctl reload nginx
# What came before may write until it has ended.
for pid in $workers; do timeout 60 tail --pid="$pid" -f /dev/null; done
[[ $1 == off ]] || systemctl stop shop-worker
[[ $1 == on ]] || systemctl start shop-worker
SH
chmod 755 /usr/local/sbin/shop-read-only`;

/** Runs old, so that it has its address in the lab; the next instance has the one of the lab's new. */
async function run(ec2: EC2Client): Promise<string[]> {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "198.51.100.0/24" }));
  const { Subnet } = await ec2.send(
    new CreateSubnetCommand({ VpcId: Vpc!.VpcId, CidrBlock: "198.51.100.0/24" }),
  );
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["amazon"] }));
  const image = Images.find(({ RootDeviceName }) => RootDeviceName === "/dev/sda1")!;
  const place = { SubnetId: Subnet!.SubnetId, ImageId: image.ImageId, InstanceType: "t3.small" } as const;
  const disk = { DeviceName: "/dev/sda1", Ebs: { VolumeSize: 20, VolumeType: "gp3" as const } };
  const others = (count: number) => runInstances(ec2, count, { ...place, BlockDeviceMappings: [disk] });
  await others(6);
  const [old] = await others(1);
  await others(9);
  return [old!];
}

async function machine(verb: string, ...settings: string[]): Promise<void> {
  await execa(join(checkout, "lab/cloud"), [verb, ...settings], {
    env: { LAB_NAME: shop.lab.name },
  });
}

/** Copies that are not terminated. */
async function copies(): Promise<Instance[]> {
  const Filters = [
    { Name: "tag-key", Values: ["changeover:fork-of"] },
    { Name: "instance-state-name", Values: ["pending", "running", "stopped"] },
  ];
  const { Reservations = [] } = await account.client.send(new DescribeInstancesCommand({ Filters }));
  return Reservations.flatMap(({ Instances = [] }) => Instances);
}

/** What drops users' packets when the address goes over, by the side that it leaves. */
const heldAtSwap: string[] = [];

/** What moto has done, the lab does. */
async function cloud({ action }: Call): Promise<void> {
  if (action === "AssociateAddress") heldAtSwap.push(...(await heldSides(shop)));
  if (action === "CreateSnapshot") await machine("snapshot");
  if (action === "RunInstances") {
    const [copy] = await copies();
    const network = `[Network]\nAddress=${copy!.PrivateIpAddress}/24`;
    await machine("run", `${instanceFile}=${copy!.InstanceId}`, `${networkFile}=${network}`);
  }
  if (action === "TerminateInstances") await machine("terminate");
  if (action === "StopInstances") await machine("stop");
}

beforeAll(async () => {
  shop = await openShop({ name: "test-vm-fork", site: { ...demoSite(), settings: forkSettings } });
  await shop.script("old", readOnlyMode);
  account = await openAccount(shop, { run, done: cloud });
  await beInstance(shop, account.ids[0]!);
  const { settings } = account;
  await shop.stack.configure({ "changeover:aws": settings });
  writeFileSync(inventory, `[web]\nshop ansible_host=${shop.lab.old.address}\n`);
  before = await shop.fingerprint("old", "without rows");
  client = shop.startClient(10, { address: elasticIp });
  await client.settled(50);
});
afterAll(async () => {
  await account?.close();
  await shop?.close();
  rmSync(folder, { recursive: true });
});

async function expectNothingToDo(): Promise<void> {
  const { changes, all } = await shop.stack.up();
  expect(changes, all).toMatchObject(nothing);
}

/** Runs the command as an operator does, in the stack's folder. */
function changeover(...args: string[]) {
  return shop.stack.execute("node", join(checkout, "cli/changeover.ts"), ...args);
}

/** All is well by the command, and it knows who serves users. */
async function expectWell(phase: string, side: "old" | "new"): Promise<void> {
  const [check, status] = await Promise.all([changeover("check", "--json"), changeover("status", "--json")]);
  expect(check.exitCode, check.all).toBe(0);
  const report = JSON.parse(check.stdout) as CheckReport<ForkReached>;
  expect(report).toMatchObject({ ok: true, phase, servers: { reached: phase } });
  const verified = report.steps.filter(({ outcome }) => outcome === "ok").map(({ step }) => step);
  if (phase === "prepared") expect(verified).toEqual(expect.arrayContaining(["fork-guard", "copy"]));
  expect(status.exitCode, status.all).toBe(0);
  const standing = JSON.parse(status.stdout) as ForkStatusReport;
  expect(standing).toMatchObject({ phase: { servers: { reached: phase } }, users: { side } });
  // All that is up to this phase is done, and nothing is at work or half done.
  const states = standing.steps.map(({ state }) => state);
  const done = states.lastIndexOf("done") + 1;
  expect(new Set(states.slice(0, done)), status.all).toEqual(new Set(phase === "idle" ? [] : ["done"]));
  expect(new Set(states.slice(done)), status.all).toEqual(new Set(phase === "finished" ? [] : ["open"]));
}

/** What runs on a server by itself. */
const jobs = async (side: "old" | "new") =>
  (await shop.script(side, "systemctl is-active shop-worker cron; true")).split("\n");

const sql = (side: "old" | "new", text: string) =>
  shop.script(side, `cd / && runuser -u postgres -- psql -XAtq -d shop <<'SQL'\n${text}\nSQL`);

const uploads = async (side: "old" | "new") =>
  Number(await shop.script(side, "find /srv/shop/uploads -type f | wc -l"));

/** No work was done twice, by what a server's database says. */
async function expectNoJobTwice(side: "old" | "new"): Promise<void> {
  expect(await sql(side, "select job_id from job_runs group by job_id having count(*) > 1")).toBe("");
}

describe("with users on the address", () => {
  it("makes a copy of old that is one of its own, and on which no job runs", async () => {
    await shop.moveTo("prepared");
    expect(await shop.script("new", "hostname")).toBe(copyName);
    expect(await shop.script("new", "cat /etc/machine-id")).not.toBe(
      await shop.script("old", "cat /etc/machine-id"),
    );
    expect(await jobs("new")).toEqual(["inactive", "inactive"]);
    expect(await jobs("old")).toEqual(["inactive", "active"]);
    expect(readFileSync(inventory, "utf8")).toBe(`[web]\nshop ansible_host=${shop.lab.new.address}\n`);
    // Users read on old, and nothing that they have written is missing on the copy.
    expect(await answering(client)).toEqual(new Set(["old"]));
    expect(await shop.orders("new")).toEqual(await shop.orders("old"));
    expect(await uploads("new")).toBe(await uploads("old"));
    await expectNothingToDo();
    await expectWell("prepared", "old");
  });

  it("releases on the copy alone, and leads users there", async () => {
    await shop.moveTo("app");
    const page = "grep -c 'second edition' /srv/shop/app/web.py || true";
    expect(await Promise.all([shop.script("old", page), shop.script("new", page)])).toEqual(["0", "1"]);
    expect(await answering(client)).toEqual(new Set(["old"]));
    await expectNothingToDo();
    await shop.moveTo("address");
    expect(await account.leads()).toBe("new");
    expect(await answering(client)).toEqual(new Set([copyName]));
    expect(await jobs("new")).toEqual(["active", "active"]);
    expect(await jobs("old")).toEqual(["inactive", "inactive"]);
    await expectNothingToDo();
    await expectWell("address", "new");
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    await expectNoJobTwice("new");
  });

  it("says by its command what is wrong on the copy", async () => {
    await shop.script("new", "systemctl stop nginx");
    const { exitCode, all } = await changeover("check");
    expect(exitCode, all).toBe(1);
    expect(all).toContain("new, step health (app)");
    await shop.script("new", "systemctl start nginx");
    // What cannot be counted is not nothing.
    await shop.script("new", "systemctl stop postgresql@15-main");
    const { stdout } = await changeover("status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ written: null, rollback: { losesWrites: true } });
    await shop.stack.configure({ "changeover:phase": "app" });
    expect((await shop.stack.up()).all).toContain("what users have written there cannot be found out");
    await shop.script("new", "systemctl start postgresql@15-main");
    await shop.stack.configure({ "changeover:phase": "finished" });
    const ahead = await changeover("check");
    expect(ahead.all).toContain("it is finished, and they are at address");
    await shop.stack.configure({ "changeover:phase": "address" });
    await expectWell("address", "new");
  });

  it("refuses the way back with what users have written on the copy, to the row", async () => {
    const orders = (await shop.orders("new")).length - (await shop.orders("old")).length;
    const files = (await uploads("new")) - (await uploads("old"));
    expect(orders).toBeGreaterThan(10);
    await shop.stack.configure({ "changeover:phase": "app" });
    const { exitCode, all } = await shop.stack.up();
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain(`${orders} rows of public.orders`);
    expect(all).toContain(`${files} files in /srv/shop/uploads`);
    // The step itself refuses, too: users write on between the look and the way back.
    const fork = parseForkConfig(
      settingsOf({
        ...forkSettings(shop.lab),
        "changeover:aws": { ...account.settings, accessKey: undefined },
      }),
    );
    const runner = new StepRunner(shop, checked(demoSettings(shop.lab)), sharedForkSettings(fork));
    const refused = await runner.send(guardWrites(fork), 3, "undo");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.all).toContain(`${orders} rows of public.orders`);
    expect(await account.leads()).toBe("new");
  });

  it("comes back when that is accepted, and leaves old as it was", async () => {
    client = shop.startClient(10, { address: elasticIp });
    await client.settled(50);
    await shop.stack.configure({ "changeover:acceptLostWrites": 100_000 });
    await shop.moveTo("app");
    expect(await account.leads()).toBe("old");
    expect(await answering(client)).toEqual(new Set(["old"]));
    await shop.moveTo("idle");
    await shop.stack.configure({ "changeover:acceptLostWrites": undefined });
    await shop.moveTo("idle");
    expect(await copies()).toEqual([]);
    await answering(client);
    const seen = await client.stop();
    // What the copy has taken was accepted as lost, and nothing else is.
    expect(seen.failures.filter(({ storedOn }) => storedOn !== copyName)).toEqual([]);
    const onOld = seen.entries.filter(({ host }) => host !== copyName);
    expect(onOld.filter(({ kind, outcome }) => kind === "order" && outcome === "ok").length).toBeGreaterThan(
      10,
    );
    expect(audit(onOld, await shop.orders("old"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    expectUnchanged(before, await shop.fingerprint("old", "without rows"));
    expect(readFileSync(inventory, "utf8")).toContain(shop.lab.old.address);
    expect(await jobs("old")).toEqual(["active", "active"]);
    await expectNoJobTwice("old");
    await expectWell("idle", "old");
  });

  it("goes forward again in one run, is finished, and old is stopped", async () => {
    client = shop.startClient(10, { address: elasticIp });
    await client.settled(50);
    await shop.moveTo("address");
    expect(await answering(client)).toEqual(new Set([copyName]));
    await shop.moveTo("finished");
    await expectNothingToDo();
    await expectWell("finished", "new");
    await expect(shop.on("old", "true")).rejects.toThrow();
    expect(await answering(client)).toEqual(new Set([copyName]));
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    await expectNoJobTwice("new");
    expect(await jobs("new")).toEqual(["active", "active"]);
    expect(await shop.script("new", "ls /etc/systemd/system | grep changeover; true")).toBe("");
    expect(heldAtSwap).toEqual(["old", "new", "old"]);
  });
});
