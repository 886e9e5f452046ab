// One stack of a fork against moto, and the machine that is forked.
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  EC2Client,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { type AwsFront, startAwsFront } from "../awsFront.ts";
import { type Moto, startMoto } from "../moto.ts";
import { createStack, type RunResult, type TestStack } from "../pulumi.ts";

export const keys = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
};
export const userData = "#!/bin/sh\necho shop\n";

/** A fork of one instance, and the folder that stands for its servers. */
export class Fork {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-fork-"));
  stack!: TestStack;
  moto!: Moto;
  front!: AwsFront;
  client!: EC2Client;
  /** The instance that is forked. */
  old!: string;
  group!: string;
  /** What the site answers at the Elastic IP. */
  page = "ok";
  readonly #address: string;
  #site!: Server;
  #settings!: Record<string, unknown>;

  /** @param address the Elastic IP: moto answers for it, this machine for the site there, at port 80. */
  constructor(address: string) {
    this.#address = address;
  }

  async open(): Promise<this> {
    this.moto = await startMoto();
    this.front = await startAwsFront(this.moto.url);
    const { url } = this.moto;
    this.client = new EC2Client({ region: "eu-central-1", endpoint: url, credentials: keys });
    this.#site = createServer((_request, response) => response.end(this.page));
    await new Promise<void>((resolve) => this.#site.listen(80, this.#address, resolve));
    await this.#makeOld();
    this.stack = await createStack({ program: import.meta.dirname });
    // Local commands name their programs as they stand in changeover's own folder.
    symlinkSync(join(import.meta.dirname, "../../../components"), join(this.stack.folder, "components"));
    return this;
  }

  async #makeOld(): Promise<void> {
    const { client } = this;
    const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: "10.9.0.0/16" }));
    const VpcId = Vpc!.VpcId!;
    const { Subnet } = await client.send(
      new CreateSubnetCommand({ VpcId, CidrBlock: "10.9.1.0/24", AvailabilityZone: "eu-central-1b" }),
    );
    const { GroupId } = await client.send(
      new CreateSecurityGroupCommand({ VpcId, GroupName: "site", Description: "site" }),
    );
    this.group = GroupId!;
    const { Images = [] } = await client.send(new DescribeImagesCommand({ Owners: ["amazon"] }));
    const image = Images.find(({ RootDeviceName }) => RootDeviceName === "/dev/sda1")!;
    const { Instances = [] } = await client.send(
      new RunInstancesCommand({
        ImageId: image.ImageId,
        InstanceType: "t3.small",
        MinCount: 1,
        MaxCount: 1,
        SubnetId: Subnet!.SubnetId,
        SecurityGroupIds: [GroupId!],
        KeyName: "deploy",
        EbsOptimized: true,
        UserData: Buffer.from(userData).toString("base64"),
        MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 2 },
        TagSpecifications: [
          { ResourceType: "instance", Tags: [{ Key: "Name", Value: "shop" }] },
          { ResourceType: "volume", Tags: [{ Key: "Disk", Value: "shop" }] },
        ],
        BlockDeviceMappings: [
          { DeviceName: "/dev/sda1", Ebs: { VolumeSize: 20, VolumeType: "gp3", Encrypted: true } },
          { DeviceName: "/dev/sdf", Ebs: { VolumeSize: 40, VolumeType: "gp3", DeleteOnTermination: false } },
        ],
      }),
    );
    this.old = Instances[0]!.InstanceId!;
    const { AllocationId } = await client.send(new AllocateAddressCommand({ Address: this.#address }));
    await client.send(new AssociateAddressCommand({ AllocationId, InstanceId: this.old }));
    const [machine] = await this.instances([this.old]);
    this.#settings = {
      runbook: "vmFork",
      move: "shop",
      old: { address: machine!.PrivateIpAddress, hostKey: "ssh-ed25519 AAAAold" },
      privateKeyFile: "~/.ssh/id_ed25519",
      site: {
        names: "shop.example.org",
        jobs: "shop-worker.service",
        checks: { path: "/health", marker: "ok" },
      },
      fork: {
        database: { where: "none" },
        readOnly: { on: "shop read-only", off: "shop writable" },
        release: { command: "shop deploy", back: "shop undeploy" },
        inventory: { file: this.inventory },
      },
      aws: {
        region: "eu-central-1",
        old: this.old,
        elasticIp: this.#address,
        deadline: "5 seconds",
        api: this.front.url,
        accessKey: { id: keys.accessKeyId, secret: keys.secretAccessKey },
      },
    };
    writeFileSync(this.inventory, this.hosts(machine!.PrivateIpAddress!));
    this.front.clear();
  }

  /** Ansible's hosts. */
  get inventory(): string {
    return join(this.folder, "hosts");
  }

  hosts(address: string): string {
    return `# the shop\n[web]\nshop ansible_host=${address}   # not ${address}0\n`;
  }

  get oldAddress(): string {
    return (this.#settings["old"] as { address: string }).address;
  }

  /** The settings at a phase. */
  settings(phase: string, fork: object = {}, more: object = {}): Record<string, unknown> {
    const own = this.#settings["fork"] as object;
    return { ...this.#settings, ...more, phase, fork: { ...own, ...fork } };
  }

  async at(phase: string, fork: object = {}, more: object = {}): Promise<void> {
    const settings = this.settings(phase, fork, more);
    await this.stack.configure({ "fork:folder": this.folder, "fork:settings": settings });
  }

  async up(phase: string, fork: object = {}, more: object = {}): Promise<RunResult> {
    await this.at(phase, fork, more);
    return this.stack.up();
  }

  async moveTo(phase: string, fork: object = {}, more: object = {}): Promise<void> {
    const { exitCode, all } = await this.up(phase, fork, more);
    if (exitCode !== 0) throw new Error(`pulumi up to ${phase} ended with ${exitCode}\n${all}`);
  }

  async preview(phase: string, fork: object = {}): Promise<RunResult> {
    await this.at(phase, fork);
    return this.stack.preview();
  }

  async instances(ids?: string[]) {
    const { Reservations = [] } = await this.client.send(
      new DescribeInstancesCommand(ids ? { InstanceIds: ids } : {}),
    );
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }

  /** Copies that are not terminated. */
  async copies() {
    return (await this.instances()).filter(
      ({ Tags = [], State }) =>
        Tags.some(({ Key }) => Key === "changeover:fork-of") && State?.Name !== "terminated",
    );
  }

  async snapshots() {
    const Filters = [{ Name: "tag:changeover:move", Values: ["shop"] }];
    return (await this.client.send(new DescribeSnapshotsCommand({ Filters }))).Snapshots ?? [];
  }

  async images() {
    return (await this.client.send(new DescribeImagesCommand({ Owners: ["self"] }))).Images ?? [];
  }

  /** Steps done and undone, in order, since the last look. */
  journal(): string[] {
    const file = join(this.folder, "journal");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    rmSync(file, { force: true });
    return lines;
  }

  written(text: string): void {
    if (text === "") rmSync(join(this.folder, "written"), { force: true });
    else writeFileSync(join(this.folder, "written"), `${text}\n`);
  }

  /** From now on the copy does not answer; or it is as before. */
  dead(isDead: boolean): void {
    if (isDead) writeFileSync(join(this.folder, "dead"), "");
    else rmSync(join(this.folder, "dead"));
  }

  async close(): Promise<void> {
    await this.stack?.remove();
    this.#site?.close();
    await this.front?.stop();
    await this.moto?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
