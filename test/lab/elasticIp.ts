/** An Elastic IP for the lab: moto has it and both instances, and where moto lets it lead, there an address of the lab goes, by gratuitous ARP. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  EC2Client,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { execa } from "execa";
import { leadsTo, lookAt, machines } from "../../components/elasticIp/address.ts";
import { readLedger } from "../../demo/ledger.ts";
import type { Client, Shop } from "../../demo/shop.ts";
import { type AwsFront, type Call, startAwsFront } from "../engine/awsFront.ts";
import { startMoto } from "../engine/moto.ts";

/** The address that moves. */
export const elasticIp = "198.51.100.50";
/** The key of the account; its secret must show nowhere. */
export const accountKey = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
};

type Side = "old" | "new";
const region = "eu-central-1";
const port = 8098;

/** The account that a lab's servers are in. */
export interface LabAccount {
  /** What a setting `changeover:aws` has of it. */
  settings: Record<string, unknown>;
  /** The instances that it began with, old's first. */
  ids: readonly string[];
  /** The calls of the move. */
  front: AwsFront;
  client: EC2Client;
  /** The volumes of old. */
  volumes: readonly string[];
  /** Where the address leads, as moto has it. */
  leads: () => Promise<Side | "elsewhere">;
  close: () => Promise<void>;
}

/** Tells all neighbours where the address is now. */
const announce = `python3 - <<'PY'
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("host0", 0))
mac = s.getsockname()[4]
ip = socket.inet_aton("${elasticIp}")
arp = b"\\x00\\x01\\x08\\x00\\x06\\x04\\x00\\x01" + mac + ip + b"\\xff" * 6 + ip
s.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + arp)
PY`;

/** The address of the lab goes to a server. */
async function bring(shop: Shop, to: Side): Promise<void> {
  await shop.script(to, `ip address add ${elasticIp}/24 dev host0 2>/dev/null || true\n${announce}`);
  await shop.script(
    to === "old" ? "new" : "old",
    `ip address del ${elasticIp}/24 dev host0 2>/dev/null || true`,
  );
}

/** The hosts that answer users now. */
export async function answering(client: Client): Promise<Set<string>> {
  await client.settled(30);
  return new Set(
    readLedger(client.ledger)
      .slice(-20)
      .flatMap(({ host }) => (host ? [host] : [])),
  );
}

/** The servers at which users' packets are dropped now, so that they come again when the address has gone over. */
export async function heldSides(shop: Shop): Promise<Side[]> {
  const held: Side[] = [];
  for (const side of ["old", "new"] as const)
    if ((await shop.script(side, "nft list ruleset")).includes("changeover_hold")) held.push(side);
  return held;
}

/** Options of an account. */
export interface AccountOptions {
  /** Runs instances there; their ids, old's first. */
  run: (client: EC2Client) => Promise<string[]>;
  /** Is told of each call that moto has done, before its caller is. */
  done?: (call: Call) => Promise<void>;
}

/** Runs as many instances, each with two volumes; their ids. */
export async function runInstances(
  client: EC2Client,
  count: number,
  more: Partial<RunInstancesCommandInput> = {},
): Promise<string[]> {
  const { Instances = [] } = await client.send(
    new RunInstancesCommand({
      ImageId: "ami-12c6146b",
      MinCount: count,
      MaxCount: count,
      BlockDeviceMappings: ["/dev/xvda", "/dev/sdb"].map((DeviceName) => ({
        DeviceName,
        Ebs: { VolumeSize: 8, Encrypted: true },
      })),
      ...more,
    }),
  );
  return Instances.map(({ InstanceId }) => InstanceId!);
}

/** Starts it; the address leads to old. What runs there and is not old, is new. */
export async function openAccount(shop: Shop, { run, done }: AccountOptions): Promise<LabAccount> {
  const moto = await startMoto();
  const client = new EC2Client({ region, endpoint: moto.url, credentials: accountKey });
  const ids = await run(client);
  const old = ids[0]!;
  const machine = (await machines(client, [old])).get(old)!;
  const { AllocationId } = await client.send(new AllocateAddressCommand({ Address: elasticIp }));
  await client.send(new AssociateAddressCommand({ AllocationId, InstanceId: old }));
  await bring(shop, "old");

  const folder = mkdtempSync(join(tmpdir(), "changeover-account-"));
  const socket = join(folder, "ec2");
  const front = await startAwsFront(moto.url, {
    socket,
    done: async (call) => {
      if (call.action === "AssociateAddress")
        await bring(
          shop,
          machine.interfaces.includes(call.parameters["NetworkInterfaceId"]!) ? "old" : "new",
        );
      await done?.(call);
    },
  });
  const relay = execa(
    join(import.meta.dirname, "../../lab/run"),
    ["node", join(import.meta.dirname, "relay.ts"), String(port), socket],
    { env: { LAB_NAME: shop.lab.name }, reject: false },
  );
  await new Promise((resolve) => relay.stdout.once("data", resolve));
  return {
    settings: {
      region,
      old,
      elasticIp,
      deadline: "20 seconds",
      api: `http://127.0.0.1:${port}/`,
      accessKey: {
        id: accountKey.accessKeyId,
        secret: await shop.stack.seal(accountKey.secretAccessKey),
      },
    },
    ids,
    front,
    client,
    volumes: machine.volumes.map(({ id }) => id),
    leads: async () => {
      const place = await lookAt(client, elasticIp);
      if (leadsTo(place, machine)) return "old";
      // A copy is known by nothing but that the address leads to it.
      const [, fresh] = ids;
      if (fresh === undefined) return place.at === undefined ? "elsewhere" : "new";
      return leadsTo(place, (await machines(client, [fresh])).get(fresh)) ? "new" : "elsewhere";
    },
    close: async () => {
      relay.kill();
      await relay;
      await front.stop();
      await moto.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
