/** What keeps a copy of a machine from doing its work twice, at a real boot: on the machine itself it does nothing, on a copy it comes before all services. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installGuard, sharedForkSettings } from "../../components/fork/steps.ts";
import { resultOf } from "../../components/result.ts";
import type { Step } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { parseForkConfig } from "../../stacks/config.ts";
import { beInstance } from "./instance.ts";
import { checked, StepRunner } from "./stepRunner.ts";

const [instance, copyInstance] = ["i-0123456789abcdef0", "i-0fedcba9876543210"];
let shop: Shop;
let runner: StepRunner;
let guard: Step;
/** A folder with what ssh has to know of the copy. */
const folder = mkdtempSync(join(tmpdir(), "changeover-copy-"));

beforeAll(async () => {
  shop = await openShop({ name: "test-fork" });
  const move = checked(demoSettings(shop.lab));
  const fork = parseForkConfig({
    runbook: "vmFork",
    move: move.move,
    phase: "prepared",
    old: { address: move.old.address, hostKey: move.old.hostKey },
    privateKeyFile: shop.lab.keyFile,
    site: { names: "shop.example.org", jobs: "shop-worker.service", checks: { path: "/health" } },
    aws: { region: "eu-central-1", old: instance, elasticIp: "203.0.113.7" },
    fork: { database: { where: "none" } },
  });
  runner = new StepRunner(shop, move, sharedForkSettings(fork));
  guard = installGuard(fork, []);
  await beInstance(shop, instance);
});
afterAll(async () => {
  await shop.close();
  rmSync(folder, { recursive: true });
});

/** What makes the machine one of its own, and what runs. Whether it has booted is asked first, so that what runs is of after the boot. */
const look = `
echo "system=$(systemctl is-system-running)"
echo "id=$(cat /etc/machine-id)"
echo "name=$(hostname)"
echo "key=$(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)"
for unit in cron shop-worker shop-web nginx postgresql@15-main; do echo "$unit=$(systemctl is-active $unit)"; done
echo "mark=$(cat /run/booted 2>/dev/null)"
echo "failed=$(systemctl --failed --plain --no-legend | cut -d ' ' -f 1 | tr '\\n' ' ')"`;

const told = (text: string) =>
  Object.fromEntries(text.split("\n").map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]));

/** Runs a command on it, known by a key. */
async function ask(hostKey: string, command: string): Promise<string> {
  writeFileSync(join(folder, "known"), `${shop.lab.old.address} ${hostKey}\n`);
  return shop.network(
    ...["ssh", "-F", "none", "-i", shop.lab.keyFile, "-o", `UserKnownHostsFile=${join(folder, "known")}`],
    ...["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"],
    ...[`root@${shop.lab.old.address}`, command],
  );
}

/** Boots anew; what is there when all has started. It is known by one key before, and by another after. */
async function reboot(before: string, after: string): Promise<Record<string, string>> {
  await ask(before, "echo before >/run/booted");
  await ask(before, "systemctl reboot").catch(() => undefined);
  let last = "";
  const isUp = async () => {
    last = await ask(after, look).catch((error: Error) => error.message);
    const { mark, system = "starting" } = told(last);
    return mark === "" && !["initializing", "starting", "stopping"].includes(system);
  };
  await expect.poll(isUp, { timeout: 120_000 }).toBe(true);
  return told(last);
}

const running = {
  cron: "active",
  "shop-worker": "active",
  "shop-web": "active",
  nginx: "active",
  "postgresql@15-main": "active",
};

describe("the guard of a copy", () => {
  it("is installed and removed, also when it is killed, and leaves nothing", async () => {
    await runner.tryOut(guard, 1);
  });

  it("does nothing at a boot of the machine itself", async () => {
    await runner.must(guard, 1, "do");
    const before = told(await shop.script("old", look));
    expect(await reboot(before["key"]!, before["key"]!)).toMatchObject({
      ...running,
      id: before["id"],
      name: before["name"],
      key: before["key"],
    });
  });

  it("keeps jobs and cron off at a boot of the copy, and makes it one of its own, by the key that was pinned", async () => {
    const before = told(await shop.script("old", look));
    const hostKey = resultOf(await runner.must(guard, 1, "do"), "forkHostKey")!;
    await beInstance(shop, copyInstance);
    const copy = await reboot(before["key"]!, hostKey);
    expect(copy).toMatchObject({
      ...running,
      cron: "inactive",
      "shop-worker": "inactive",
      name: "shop-copy",
      key: hostKey,
    });
    expect(copy["id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(copy["id"]).not.toBe(before["id"]);
    // A second boot changes nothing more.
    expect(await reboot(hostKey, hostKey)).toEqual(copy);
  });
});
