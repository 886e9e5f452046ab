/** A server move with an Elastic IP as its address and snapshots first: one half on the lab's servers, the other at moto. Users come by the address. */
import { DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HoldOrder } from "../../components/elasticIp/hold.ts";
import { demoSettings } from "../../demo/settings.ts";
import { audit, type Client, openShop, type Shop } from "../../demo/shop.ts";
import { readAccess } from "../../stacks/access.ts";
import { expectUnchanged } from "./compare.ts";
import {
  accountKey,
  answering,
  elasticIp,
  heldSides,
  type LabAccount,
  openAccount,
  runInstances,
} from "./elasticIp.ts";
import { checked } from "./stepRunner.ts";

const sides = ["old", "new"] as const;
const nothing = { create: 0, update: 0, delete: 0 };

let shop: Shop;
let account: LabAccount;
let aws: Record<string, unknown>;
let client: Client;
let before: Record<string, string[]>;
/** What steps had left on the servers when each snapshot was taken. */
const marksAtSnapshots: string[] = [];
/** What dropped users' packets when the address went over, by the side that it left. */
const heldAtSwap: string[] = [];

beforeAll(async () => {
  shop = await openShop({ name: "test-elastic-ip" });
  account = await openAccount(shop, {
    run: (client) => runInstances(client, 2),
    done: async ({ action }) => {
      if (action === "CreateSnapshot")
        for (const side of sides)
          marksAtSnapshots.push(await shop.script(side, "ls /var/lib/changeover/shop 2>/dev/null || true"));
      if (action === "AssociateAddress") heldAtSwap.push(...(await heldSides(shop)));
    },
  });
  aws = { ...account.settings, new: account.ids[1], snapshots: true };
  await shop.stack.configure({ "changeover:aws": aws });
  before = Object.fromEntries(
    await Promise.all(
      sides.map(async (side) => [side, await shop.fingerprint(side, "without rows")] as const),
    ),
  );
  client = shop.startClient(10, { address: elasticIp });
  await client.settled(50);
});
afterAll(async () => {
  await account?.close();
  await shop?.close();
});

async function snapshots(): Promise<string[]> {
  const { Snapshots = [] } = await account.client.send(
    new DescribeSnapshotsCommand({ Filters: [{ Name: "tag:changeover:move", Values: ["shop"] }] }),
  );
  return Snapshots.map(({ VolumeId }) => VolumeId!).toSorted();
}

/** The calls that change something, tags left out. */
function changes(): string[] {
  const actions = account.front.actions().filter((action) => action !== "CreateTags");
  account.front.clear();
  return actions;
}

async function expectNothingToDo(): Promise<void> {
  const { changes, all } = await shop.stack.up();
  expect(changes, all).toMatchObject(nothing);
}

describe("with users on the address", () => {
  it("takes the snapshots before anything else, and leads the address over last", async () => {
    await shop.moveTo("prepared");
    expect(changes()).toEqual(["CreateSnapshot", "CreateSnapshot"]);
    expect(marksAtSnapshots).toEqual(["", "", "", ""]);
    expect(await snapshots()).toEqual(account.volumes.toSorted());
    await expectNothingToDo();
    await shop.moveTo("dns");
    expect(changes()).toEqual(["AssociateAddress"]);
    expect(await account.leads()).toBe("new");
    expect(await answering(client)).toEqual(new Set(["new"]));
    await expectNothingToDo();
  });

  it("comes back, and leaves both servers as they were", async () => {
    await shop.moveTo("idle");
    expect(changes()).toEqual(["AssociateAddress"]);
    expect(await account.leads()).toBe("old");
    expect(await answering(client)).toEqual(new Set(["old"]));
    expect(await snapshots()).toEqual(account.volumes.toSorted());
    for (const side of sides) expectUnchanged(before[side]!, await shop.fingerprint(side, "without rows"));
  });

  it("comes back by itself where the site does not answer on new, and goes over when it does", async () => {
    await shop.moveTo("database");
    expect(changes()).toEqual(["CreateSnapshot", "CreateSnapshot"]);
    expect(await account.leads()).toBe("old");
    await shop.script(
      "new",
      `nft add table inet shut '{ chain input { type filter hook input priority 0; ip daddr ${elasticIp} tcp dport 443 drop; }; }'`,
    );
    await shop.stack.configure({
      "changeover:phase": "dns",
      "changeover:aws": { ...aws, deadline: "2 seconds" },
    });
    const { exitCode, all } = await shop.stack.up();
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain("the site should answer /health through it within 2 s");
    expect(changes()).toEqual(["AssociateAddress", "AssociateAddress"]);
    expect(await account.leads()).toBe("old");
    await shop.script("new", "nft delete table inet shut");
    await shop.stack.configure({ "changeover:aws": aws });
  });

  it.each(["SIGKILL", "SIGSTOP"] as const)(
    "lets users through when its own program gets %s",
    async (signal) => {
      const order: HoldOrder = {
        access: await readAccess(checked(demoSettings(shop.lab))),
        ports: [443],
        drainSeconds: 5,
      };
      const program = execa(
        join(import.meta.dirname, "../../lab/run"),
        ["node", join(import.meta.dirname, "hold.ts")],
        { env: { LAB_NAME: shop.lab.name }, input: JSON.stringify(order), reject: false },
      );
      await new Promise((resolve) => program.stdout.once("data", resolve));
      const isHeld = async () => (await shop.script("old", "nft list ruleset")).includes("changeover_hold");
      expect(await isHeld()).toBe(true);
      program.kill(signal);
      await expect.poll(isHeld, { timeout: 120_000 }).toBe(false);
      program.kill("SIGKILL");
      await program;
    },
  );

  it("is finished, and no request has failed, no write was lost", async () => {
    for (const phase of ["dns", "finished"]) await shop.moveTo(phase);
    expect(changes()).toEqual(["AssociateAddress"]);
    expect(await account.leads()).toBe("new");
    expect(await answering(client)).toEqual(new Set(["new"]));
    const seen = await client.stop();
    expect(seen.failures).toEqual([]);
    expect(audit(seen.entries, await shop.orders("new"))).toMatchObject({ lostWrites: 0, doubledWrites: 0 });
    expect(heldAtSwap).toEqual(["old", "new", "old", "old", "old"]);
    for (const side of sides)
      expect(await shop.script(side, "nft list ruleset 2>/dev/null || true")).not.toContain(
        "changeover_hold",
      );
    expect((await shop.stack.exportState()).text).not.toContain(accountKey.secretAccessKey);
  });
});
