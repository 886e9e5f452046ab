// What a server move does at AWS, through the real engine against moto: snapshots first, holes in security groups, the Elastic IP.
import { createServer, type Server } from "node:http";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateSecurityGroupCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSnapshotsCommand,
  EC2Client,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leadsTo, lookAt, machines } from "../../components/elasticIp/address.ts";
import { type AwsFront, startAwsFront } from "./awsFront.ts";
import { type Moto, startMoto } from "./moto.ts";
import { Move, nothing } from "./part/move.ts";

/** moto answers for it; this machine answers for the site there, at the site's own port, which only root may take. */
const address = "127.0.0.78";
const keys = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
};
const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)("a server move at AWS", () => {
  let moto: Moto;
  let front: AwsFront;
  let client: EC2Client;
  let site: Server;
  let page = "ok";
  let move: Move;
  let instances: string[];
  let volumes: string[];
  let groups: string[];

  beforeAll(async () => {
    moto = await startMoto();
    front = await startAwsFront(moto.url);
    client = new EC2Client({ region: "eu-central-1", endpoint: moto.url, credentials: keys });
    site = createServer((_request, response) => response.end(page));
    await new Promise<void>((resolve) => site.listen(80, address, resolve));
    const { Instances = [] } = await client.send(
      new RunInstancesCommand({
        ImageId: "ami-12c6146b",
        MinCount: 2,
        MaxCount: 2,
        BlockDeviceMappings: ["/dev/xvda", "/dev/sdb"].map((DeviceName) => ({
          DeviceName,
          Ebs: { VolumeSize: 8, Encrypted: true },
        })),
      }),
    );
    instances = Instances.map(({ InstanceId }) => InstanceId!);
    const found = await machines(client, instances);
    volumes = found.get(instances[0]!)!.volumes.map(({ id }) => id);
    const made = await Promise.all(
      ["old", "new"].map((GroupName) =>
        client.send(new CreateSecurityGroupCommand({ GroupName, Description: GroupName })),
      ),
    );
    groups = made.map(({ GroupId }) => GroupId!);
    const { AllocationId } = await client.send(new AllocateAddressCommand({ Address: address }));
    await client.send(new AssociateAddressCommand({ AllocationId, InstanceId: instances[0] }));
    const [old, fresh] = instances;
    move = await new Move({
      aws: {
        region: "eu-central-1",
        old,
        new: fresh,
        elasticIp: address,
        snapshots: true,
        securityGroups: { old: groups[0], new: groups[1] },
        deadline: "5 seconds",
        api: front.url,
        accessKey: { id: keys.accessKeyId, secret: keys.secretAccessKey },
      },
    }).open();
  });
  afterAll(async () => {
    await move?.close();
    site?.close();
    await front?.stop();
    await moto?.stop();
  });

  async function snapshots() {
    const { Snapshots = [] } = await client.send(
      new DescribeSnapshotsCommand({ Filters: [{ Name: "tag:changeover:move", Values: ["shop"] }] }),
    );
    return Snapshots.map(({ VolumeId }) => VolumeId!).toSorted();
  }

  /** The holes for single addresses: group, port, source. */
  async function holes() {
    const { SecurityGroupRules = [] } = await client.send(
      new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: groups }] }),
    );
    return SecurityGroupRules.filter(({ IsEgress }) => !IsEgress)
      .map(
        ({ GroupId, FromPort, ToPort, CidrIpv4 }) =>
          `${GroupId === groups[0] ? "old" : "new"} ${FromPort}-${ToPort} ${CidrIpv4}`,
      )
      .toSorted();
  }

  async function leads(): Promise<string> {
    const [place, found] = await Promise.all([lookAt(client, address), machines(client, instances)]);
    const at = instances.findIndex((id) => leadsTo(place, found.get(id)));
    return ["old", "new"][at] ?? "elsewhere";
  }

  const open = [
    "new 5432-5432 198.51.100.10/32",
    "old 22-22 198.51.100.20/32",
    "old 5432-5432 198.51.100.20/32",
  ];

  async function expectNothingToDo(phase: string): Promise<void> {
    const { changes, all } = await move.up(phase);
    expect(changes, all).toMatchObject(nothing);
  }

  test("prepared takes a snapshot of each volume, and then opens the groups for the other server alone", async () => {
    const preview = await move.preview("prepared");
    expect(preview.exitCode, preview.all).toBe(0);
    expect(front.actions()).toEqual([]);
    await move.moveTo("prepared");
    expect(volumes.length).toBe(2);
    expect(await snapshots()).toEqual(volumes.toSorted());
    expect(await holes()).toEqual(open);
    expect(front.actions().filter((action) => action !== "CreateTags")).toEqual([
      "CreateSnapshot",
      "CreateSnapshot",
      ...open.map(() => "AuthorizeSecurityGroupIngress"),
    ]);
    await expectNothingToDo("prepared");
  });

  test("dns leads the address to new, once the site answers there; the way back leads it to old", async () => {
    page = "not the site";
    const failed = await move.up("dns");
    expect(failed.exitCode).not.toBe(0);
    expect(failed.all).toContain("the site should answer /health through it within 5 s");
    expect(failed.all).not.toContain(keys.secretAccessKey);
    expect(await leads()).toBe("old");
    page = "ok";
    front.clear();
    await move.moveTo("dns");
    expect(await leads()).toBe("new");
    expect(front.actions()).toEqual(["AssociateAddress"]);
    await expectNothingToDo("dns");
    await move.moveTo("database");
    expect(await leads()).toBe("old");
    expect(front.actions()).toEqual(["AssociateAddress", "AssociateAddress"]);
  });

  test("the way back to idle closes the groups, and keeps the snapshots", async () => {
    await move.moveTo("idle");
    expect(await holes()).toEqual([]);
    expect(await snapshots()).toEqual(volumes.toSorted());
  });

  test("finished closes the groups and leaves the address at new; destroying the stack touches nothing", async () => {
    await move.moveTo("finished");
    expect(await holes()).toEqual([]);
    expect(await leads()).toBe("new");
    await expectNothingToDo("finished");
    front.clear();
    const { exitCode, all } = await move.stack.destroy();
    expect(exitCode, all).toBe(0);
    expect(front.actions()).toEqual([]);
    expect(await leads()).toBe("new");
    expect(await snapshots()).toHaveLength(4);
  });

  test("keeps no key in clear", async () => {
    expect((await move.stack.exportState()).text).not.toContain(keys.secretAccessKey);
  });
});
