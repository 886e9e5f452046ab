// An Elastic IP against moto, led by swap.ts as Pulumi runs it: it goes over in one call, comes back, and comes back by itself.
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SwapOrder } from "../../components/elasticIp/elasticIp.ts";
import { lookAtAws } from "../../stacks/aws.ts";
import type { MoveConfig } from "../../stacks/config.ts";
import { type AwsFront, startAwsFront } from "./awsFront.ts";
import { type Moto, startMoto } from "./moto.ts";

const swap = join(import.meta.dirname, "../../components/elasticIp/swap.ts");
/** moto answers for it; this machine answers for the site there. */
const address = "127.0.0.77";
const keys = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
};
let moto: Moto;
let front: AwsFront;
let client: EC2Client;
let site: Server;
let page = "";
let asked = 0;
let instances: { old: string; new: string; other: string };
let allocation: string;

beforeAll(async () => {
  moto = await startMoto();
  front = await startAwsFront(moto.url);
  client = new EC2Client({ region: "eu-central-1", endpoint: moto.url, credentials: keys });
  site = createServer((_request, response) => {
    asked += 1;
    response.end(page);
  });
  await new Promise<void>((resolve) => site.listen(0, address, resolve));
});
afterAll(async () => {
  site.close();
  await front.stop();
  await moto.stop();
});
beforeEach(async () => {
  await moto.reset();
  const { Instances = [] } = await client.send(
    new RunInstancesCommand({ ImageId: "ami-12c6146b", MinCount: 3, MaxCount: 3 }),
  );
  const [old, fresh, other] = Instances.map(({ InstanceId }) => InstanceId!);
  instances = { old: old!, new: fresh!, other: other! };
  const { AllocationId } = await client.send(new AllocateAddressCommand({ Address: address }));
  allocation = AllocationId!;
  await leadTo(instances.old);
  front.clear();
  page = "ok";
  asked = 0;
});

function leadTo(instance: string) {
  return client.send(
    new AssociateAddressCommand({ AllocationId: allocation, InstanceId: instance, AllowReassociation: true }),
  );
}

/** Where the address leads, by moto's own word. */
async function leads(): Promise<string> {
  const { machines, lookAt, told, leadsTo } = await import("../../components/elasticIp/address.ts");
  const [place, found] = await Promise.all([
    lookAt(client, address),
    machines(client, Object.values(instances)),
  ]);
  const side = Object.entries(instances).find(([, id]) => leadsTo(place, found.get(id)));
  return side?.[0] ?? told(place);
}

function order(more: Partial<SwapOrder> = {}): SwapOrder {
  const { port } = site.address() as AddressInfo;
  return {
    access: {
      region: "eu-central-1",
      accessKey: { id: keys.accessKeyId, secret: keys.secretAccessKey },
      api: front.url,
    },
    address,
    from: instances.old,
    to: instances.new,
    name: "shop.example.org",
    checks: [{ path: "/health", marker: "ok", status: 200 }],
    // Nobody listens for TLS there.
    ports: { tls: 1, plain: port },
    deadlineSeconds: 20,
    ...more,
  };
}

function run(verb: "do" | "undo", more: Partial<SwapOrder> = {}, stdout = "") {
  return execa("node", [swap, verb], {
    input: JSON.stringify(order(more)),
    env: { PULUMI_COMMAND_STDOUT: stdout },
    reject: false,
    all: true,
  });
}

describe("an Elastic IP", () => {
  test("goes over in one call, again without one, and comes back", async () => {
    const went = await run("do");
    expect(went.exitCode, went.all).toBe(0);
    expect(went.stdout).toMatch(/^addressMilliseconds=\d+\naddressBefore=eni-\w+ [\d.]+$/);
    expect(await leads()).toBe("new");
    expect(front.actions()).toEqual(["AssociateAddress"]);
    expect(front.of("AssociateAddress")[0]!.parameters).toMatchObject({
      AllocationId: allocation,
      AllowReassociation: "true",
    });
    // Before it went, for the certificate that users see, and after.
    expect(asked).toBe(2);

    expect(await run("do")).toMatchObject({ exitCode: 0 });
    expect(front.actions()).toHaveLength(1);

    expect(await run("undo", {}, went.stdout)).toMatchObject({ exitCode: 0 });
    expect(await leads()).toBe("old");
    const [, privateIp] = /addressBefore=\S+ (\S+)/.exec(went.stdout)!;
    expect(front.of("AssociateAddress")[1]!.parameters).toMatchObject({ PrivateIpAddress: privateIp });
    expect(await run("undo", {}, went.stdout)).toMatchObject({ exitCode: 0 });
    expect(front.actions()).toHaveLength(2);
  });

  test("is left alone by an undo without a do", async () => {
    expect(await run("undo")).toMatchObject({ exitCode: 0 });
    expect(front.actions()).toEqual([]);
    expect(await leads()).toBe("old");
  });

  test("comes back by itself when the site does not answer through it in time", async () => {
    page = "a page of somebody else";
    const failed = await run("do", { deadlineSeconds: 1 });
    expect(failed.exitCode).toBe(1);
    expect(failed.all).toContain(
      `error: Elastic IP ${address}: the site should answer /health through it within 1 s, but last: the page does not hold "ok"; `,
    );
    expect(failed.all).toContain(`; it leads to ${instances.old} (old) again`);
    expect(await leads()).toBe("old");
    expect(front.actions()).toEqual(["AssociateAddress", "AssociateAddress"]);
  });

  test("comes back when it is stopped before the site has answered; killed, the next run goes on", async () => {
    page = "not yet";
    const stopped = run("do");
    // The first request comes before the address goes over.
    await expect.poll(() => asked, { timeout: 60_000 }).toBeGreaterThan(1);
    stopped.kill("SIGTERM");
    expect((await stopped).all).toContain("stopped by SIGTERM before the site had answered");
    expect(await leads()).toBe("old");

    asked = 0;
    const killed = run("do");
    // The first request comes before the address goes over.
    await expect.poll(() => asked, { timeout: 60_000 }).toBeGreaterThan(1);
    killed.kill("SIGKILL");
    await killed;
    expect(await leads()).toBe("new");
    page = "ok";
    front.clear();
    expect(await run("do")).toMatchObject({ exitCode: 0 });
    expect(front.actions()).toEqual([]);
    expect(await run("undo")).toMatchObject({ exitCode: 0 });
    expect(await leads()).toBe("old");
  });

  test("is not taken from somebody else, there or back", async () => {
    await leadTo(instances.other);
    for (const verb of ["do", "undo"] as const) {
      const refused = await run(verb);
      expect(refused.exitCode).toBe(1);
      expect(refused.all).toMatch(
        /should lead to i-\w+ \(old\) or i-\w+ \(new\), but leads to .*: somebody else has moved it/,
      );
    }
    expect(front.actions()).toEqual([]);
    expect(await leads()).toBe("other");
  });

  test("goes over though AWS throttles the call, or its answer is lost", async () => {
    front.rule("AssociateAddress", { answer: { code: "RequestLimitExceeded", status: 503 }, times: 2 });
    expect(await run("do")).toMatchObject({ exitCode: 0 });
    expect(await leads()).toBe("new");
    front.rule("AssociateAddress", { answer: "lost", times: 1 });
    expect(await run("undo")).toMatchObject({ exitCode: 0 });
    expect(await leads()).toBe("old");
  });

  test("stays where it is when AWS refuses, and says why", async () => {
    front.rule("AssociateAddress", {
      answer: { code: "UnauthorizedOperation", status: 403, message: "not you" },
    });
    const refused = await run("do");
    expect(refused.exitCode).toBe(1);
    expect(refused.all).toContain("not you");
    expect(refused.all).not.toContain(keys.secretAccessKey);
    expect(await leads()).toBe("old");
  });
});

describe("preview", () => {
  /** What a move at a phase finds, with these steps done. */
  async function found(
    phase: string,
    done = "",
    more: object = {},
    isAhead = phase !== "idle",
  ): Promise<string[]> {
    const settings = {
      move: "shop",
      phase,
      old: { address: "old.example.org" },
      new: { address: "new.example.org" },
      aws: {
        ...order().access,
        elasticIp: address,
        old: instances.old,
        new: instances.new,
        deadline: 30,
        snapshots: false,
        securityGroups: {},
        ...more,
      },
    } as unknown as MoveConfig;
    const facts = new Map([["done", done]]);
    const { findings } = await lookAtAws(settings, { old: facts, new: facts }, () => isAhead);
    return findings.map(
      ({ place, rule, value, warning }) => `${warning ? "warning, " : ""}${place}: ${rule}: ${value}`,
    );
  }

  test("finds nothing wrong where the address leads where the move has left it", async () => {
    expect(await found("prepared")).toEqual([]);
    expect(await found("dns")).toEqual([]);
    await leadTo(instances.new);
    expect(await found("dns")).toEqual([]);
    expect(await found("dns", "shop/elastic-ip")).toEqual([]);
    expect(await found("database", "shop/elastic-ip")).toEqual([]);
  });

  test("tells who has moved it, and which run was cut off", async () => {
    await leadTo(instances.new);
    expect(await found("app")).toEqual([
      `Elastic IP ${address}: leads to old (${instances.old}) before phase 'dns': it leads to new: a run that led it there was cut off before that was noted`,
    ]);
    await leadTo(instances.old);
    expect(await found("dns", "shop/elastic-ip")).toEqual([
      `Elastic IP ${address}: leads to new (${instances.new}), where this move has led it: somebody has led it to old again`,
    ]);
    await leadTo(instances.other);
    const [first] = await found("prepared");
    expect(first).toContain(`leads to old (${instances.old}) or new (${instances.new}): it leads to `);
  });

  test("tells what is not there, and what may not be asked", async () => {
    expect(await found("idle", "", { elasticIp: "127.0.0.78" })).toEqual([
      "changeover:aws.elasticIp: is an Elastic IP of the account in eu-central-1: the account has no Elastic IP 127.0.0.78 in this region",
    ]);
    const gone = "i-0123456789abcdef0";
    const missing = `instance ${gone} (new): is there: the account has no such instance in this region`;
    expect(await found("prepared", "", { new: gone })).toEqual([missing]);
    expect(await found("idle", "", { new: gone })).toEqual([`warning, ${missing}`]);
    await client.send(new TerminateInstancesCommand({ InstanceIds: [instances.new] }));
    const ended = expect.stringMatching(`^instance ${instances.new} \\(new\\): runs: it is `) as string;
    expect(await found("dns")).toEqual([ended]);
    const told = expect.stringMatching(
      `^warning, instance ${instances.new} \\(new\\): runs: it is `,
    ) as string;
    expect(await found("app", "", {}, false)).toEqual([told]);
    expect(await found("app", "", { elasticIp: undefined })).toEqual([told]);
    front.rule("DescribeAddresses", {
      answer: { code: "UnauthorizedOperation", status: 403, message: "not you" },
    });
    expect(await found("idle")).toEqual(["changeover:aws: opens EC2: not you"]);
  });
});
