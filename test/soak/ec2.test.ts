// The double of the AWS provider's EC2, through the real engine: what a program says arrives at moto, and comes back.
import {
  AllocateAddressCommand,
  CreateSecurityGroupCommand,
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AwsFront, startAwsFront } from "../engine/awsFront.ts";
import { type Moto, startMoto } from "../engine/moto.ts";
import { createStack, type RunResult, type TestStack } from "../engine/pulumi.ts";

interface Wanted {
  name: string;
  type: "Ami" | "Instance" | "SecurityGroupIngressRule" | "Snapshot";
  args?: Record<string, unknown>;
  import?: string;
  get?: string;
}

const nothing = { create: 0, update: 0, delete: 0, replace: 0 };

describe("EC2", () => {
  let moto: Moto;
  let front: AwsFront;
  let client: EC2Client;
  let stack: TestStack;
  let place: { subnetId: string; group: string; otherGroup: string; ami: string };

  beforeAll(async () => {
    moto = await startMoto();
    front = await startAwsFront(moto.url);
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    client = new EC2Client({ region: "us-east-1", endpoint: moto.url, credentials, maxAttempts: 1 });
  });
  afterAll(async () => {
    await stack?.remove();
    await front?.stop();
    await moto?.stop();
  });
  beforeEach(async () => {
    await moto.reset();
    place = await makePlace();
    front.clear();
    await stack?.remove();
    stack = await createStack({
      program: `${import.meta.dirname}/../engine/ec2/program`,
      config: { "ec2:endpoint": front.url },
      env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    });
  });

  /** A VPC of its own, where groups have no names. */
  async function makePlace() {
    const { Vpc } = await client.send(new CreateVpcCommand({ CidrBlock: "10.9.0.0/16" }));
    const VpcId = Vpc!.VpcId!;
    const { Subnet } = await client.send(
      new CreateSubnetCommand({ VpcId, CidrBlock: "10.9.1.0/24", AvailabilityZone: "us-east-1b" }),
    );
    const groups = await Promise.all(
      ["site", "other"].map((GroupName) =>
        client.send(new CreateSecurityGroupCommand({ VpcId, GroupName, Description: GroupName })),
      ),
    );
    const { Images = [] } = await client.send(new DescribeImagesCommand({ Owners: ["amazon"] }));
    const image = Images.find(({ RootDeviceName }) => RootDeviceName === "/dev/sda1")!;
    const [group, otherGroup] = groups.map(({ GroupId }) => GroupId!);
    return { subnetId: Subnet!.SubnetId!, group: group!, otherGroup: otherGroup!, ami: image.ImageId! };
  }

  /** A short one, as most tests want it. */
  const small = () => ({
    ami: place.ami,
    instanceType: "t3.micro",
    subnetId: place.subnetId,
    vpcSecurityGroupIds: [place.group],
    tags: { Name: "shop" },
  });
  const machine = (args: Record<string, unknown> = small()): Wanted => ({
    name: "shop",
    type: "Instance",
    args,
  });

  async function up(...resources: Wanted[]): Promise<RunResult> {
    await stack.configure({ "ec2:resources": resources });
    front.clear();
    return stack.up();
  }
  async function done(...resources: Wanted[]): Promise<RunResult> {
    const result = await up(...resources);
    if (result.exitCode !== 0) throw new Error(`pulumi up ended with ${result.exitCode}\n${result.all}`);
    return result;
  }
  async function inState(name: string) {
    const { resources } = await stack.exportState();
    return resources.find(({ urn }) => urn.endsWith(`::${name}`))!;
  }
  async function instances() {
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({}));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }
  const parameters = (action: string) => front.of(action).map((call) => call.parameters);

  /** All that moto can keep. */
  const kept = () => ({
    ...small(),
    availabilityZone: "us-east-1b",
    disableApiStop: true,
    ebsOptimized: true,
    hibernation: true,
    keyName: "deploy",
    sourceDestCheck: false,
    userData: "#!/bin/sh\necho hällo\n",
    metadataOptions: {
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 2,
      instanceMetadataTags: "enabled",
    },
    rootBlockDevice: {
      volumeSize: 20,
      volumeType: "gp3",
      encrypted: true,
      kmsKeyId: "alias/site",
      deleteOnTermination: false,
      tags: { Name: "root" },
    },
    ebsBlockDevices: [
      { deviceName: "/dev/sdf", volumeSize: 40, volumeType: "gp3", tags: { Name: "data" } },
      { deviceName: "/dev/sdb", volumeSize: 10, volumeType: "st1", deleteOnTermination: false },
    ],
  });

  test("what an instance is told arrives, comes back, and a second up changes nothing", async () => {
    await done(machine(kept()));
    const [made] = await instances();
    expect(made).toMatchObject({
      ImageId: place.ami,
      InstanceType: "t3.micro",
      SubnetId: place.subnetId,
      KeyName: "deploy",
      EbsOptimized: true,
      SourceDestCheck: false,
      Placement: { AvailabilityZone: "us-east-1b" },
      SecurityGroups: [{ GroupId: place.group }],
      Tags: [{ Key: "Name", Value: "shop" }],
      MetadataOptions: {
        HttpTokens: "required",
        HttpPutResponseHopLimit: 2,
        InstanceMetadataTags: "enabled",
      },
      State: { Name: "running" },
    });
    const { UserData } = await client.send(
      new DescribeInstanceAttributeCommand({ InstanceId: made!.InstanceId!, Attribute: "userData" }),
    );
    expect(Buffer.from(UserData!.Value!, "base64").toString()).toBe("#!/bin/sh\necho hällo\n");
    const { Volumes = [] } = await client.send(new DescribeVolumesCommand({}));
    const volumes = Volumes.map((volume) => [
      volume.Attachments?.[0]?.Device,
      volume.Size,
      volume.VolumeType,
      volume.Encrypted,
      made!.BlockDeviceMappings!.find(({ Ebs }) => Ebs!.VolumeId === volume.VolumeId)!.Ebs!
        .DeleteOnTermination,
      volume.Tags?.[0]?.Value,
    ]);
    expect(volumes.toSorted()).toEqual([
      ["/dev/sda1", 20, "gp3", true, false, "root"],
      ["/dev/sdb", 10, "st1", false, false, undefined],
      ["/dev/sdf", 40, "gp3", false, true, "data"],
    ]);
    expect(front.actions()).toEqual(["RunInstances", "CreateTags", "CreateTags", "ModifyInstanceAttribute"]);
    const { id, inputs, outputs } = await inState("shop");
    expect(id).toBe(made!.InstanceId);
    expect(inputs).toMatchObject(kept());
    expect(outputs).toMatchObject({
      ...kept(),
      ebsBlockDevices: expect.arrayContaining(
        kept().ebsBlockDevices.map((device) => expect.objectContaining(device) as unknown),
      ) as unknown,
      arn: `arn:aws:ec2:us-east-1:123456789012:instance/${id}`,
      instanceState: "running",
      privateIp: made!.PrivateIpAddress,
      publicIp: "",
      primaryNetworkInterfaceId: made!.NetworkInterfaces![0]!.NetworkInterfaceId,
    });

    expect((await done(machine(kept()))).changes).toMatchObject(nothing);
    expect(front.actions()).toEqual([]);
    expect((await stack.refresh()).changes).toMatchObject(nothing);
    expect((await inState("shop")).inputs).toMatchObject(kept());
  });

  test("what moto does not keep is in the request", async () => {
    const rare = {
      capacityReservationSpecification: { capacityReservationTarget: { capacityReservationId: "cr-1" } },
      cpuOptions: { coreCount: 2, threadsPerCore: 1, amdSevSnp: "disabled", nestedVirtualization: "enabled" },
      creditSpecification: { cpuCredits: "standard" },
      disableApiTermination: true,
      enclaveOptions: { enabled: true },
      // moto knows it, and forgets the instance's groups over it.
      instanceInitiatedShutdownBehavior: "terminate",
      maintenanceOptions: { autoRecovery: "disabled" },
      monitoring: true,
      placementGroup: "near",
      placementPartitionNumber: 3,
      privateDnsNameOptions: { enableResourceNameDnsARecord: true, hostnameType: "resource-name" },
      privateIp: "10.9.1.50",
      associatePublicIpAddress: true,
      secondaryPrivateIps: ["10.9.1.60", "10.9.1.61"],
      tenancy: "dedicated",
      hostId: "h-1",
      ipv6AddressCount: 1,
      enablePrimaryIpv6: true,
      userDataBase64: Buffer.from([0x1f, 0x8b, 0, 255]).toString("base64"),
      rootBlockDevice: { volumeType: "gp3", iops: 4000, throughput: 250, volumeSize: 9 },
      ebsBlockDevices: [{ deviceName: "/dev/sdf", snapshotId: "{backup.id}", volumeType: "gp3", iops: 3500 }],
    };
    const { Volumes = [] } = await client.send(new DescribeVolumesCommand({ VolumeIds: [await aVolume()] }));
    const backup: Wanted = { name: "backup", type: "Snapshot", args: { volumeId: Volumes[0]!.VolumeId } };
    await stack.configure({ "ec2:resources": [backup, machine({ ...small(), ...rare })] });
    front.rule("MonitorInstances", { answer: { success: "<instancesSet/>" } });
    const { exitCode, all } = await stack.up();
    expect(exitCode, all).toBe(0);
    const snapshot = (await inState("backup")).id;
    expect(parameters("RunInstances")).toEqual([
      expect.objectContaining({
        MinCount: "1",
        MaxCount: "1",
        "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId": "cr-1",
        "CpuOptions.CoreCount": "2",
        "CpuOptions.ThreadsPerCore": "1",
        "CpuOptions.AmdSevSnp": "disabled",
        "CpuOptions.NestedVirtualization": "enabled",
        "CreditSpecification.CpuCredits": "standard",
        DisableApiTermination: "true",
        "EnclaveOptions.Enabled": "true",
        InstanceInitiatedShutdownBehavior: "terminate",
        "MaintenanceOptions.AutoRecovery": "disabled",
        "Monitoring.Enabled": "true",
        "Placement.GroupName": "near",
        "Placement.PartitionNumber": "3",
        "Placement.Tenancy": "dedicated",
        "Placement.HostId": "h-1",
        "PrivateDnsNameOptions.EnableResourceNameDnsARecord": "true",
        "PrivateDnsNameOptions.HostnameType": "resource-name",
        "NetworkInterface.1.SubnetId": place.subnetId,
        "NetworkInterface.1.SecurityGroupId.1": place.group,
        "NetworkInterface.1.AssociatePublicIpAddress": "true",
        "NetworkInterface.1.PrivateIpAddress": "10.9.1.50",
        "NetworkInterface.1.PrivateIpAddresses.1.PrivateIpAddress": "10.9.1.60",
        "NetworkInterface.1.PrivateIpAddresses.2.PrivateIpAddress": "10.9.1.61",
        "NetworkInterface.1.Ipv6AddressCount": "1",
        "NetworkInterface.1.PrimaryIpv6": "true",
        UserData: "H4sA/w==",
        "BlockDeviceMapping.1.DeviceName": "/dev/sdf",
        "BlockDeviceMapping.1.Ebs.SnapshotId": snapshot,
        "BlockDeviceMapping.1.Ebs.Iops": "3500",
        "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true",
        "BlockDeviceMapping.2.DeviceName": "/dev/sda1",
        "BlockDeviceMapping.2.Ebs.Iops": "4000",
        "BlockDeviceMapping.2.Ebs.Throughput": "250",
        "TagSpecification.1.ResourceType": "instance",
        "TagSpecification.1.Tag.1.Key": "Name",
        "TagSpecification.1.Tag.1.Value": "shop",
      }),
    ]);
    expect(front.of("MonitorInstances")).toHaveLength(1);
    expect((await inState("shop")).outputs).toMatchObject({
      userDataBase64: "H4sA/w==",
      privateIp: "10.9.1.50",
      publicIp: (await instances()).at(-1)!.PublicIpAddress,
      associatePublicIpAddress: true,
    });
  });

  async function aVolume(): Promise<string> {
    const { Instances = [] } = await client.send(
      new RunInstancesCommand({ ImageId: place.ami, MinCount: 1, MaxCount: 1, SubnetId: place.subnetId }),
    );
    const { Volumes = [] } = await client.send(new DescribeVolumesCommand({}));
    return Volumes.find(({ Attachments }) => Attachments?.[0]?.InstanceId === Instances[0]!.InstanceId)!
      .VolumeId!;
  }

  test("changes are made to the instance that is there; what cannot change makes another", async () => {
    await done(machine());
    const [before] = await instances();
    const changed = {
      ...small(),
      tags: { Name: "shop", Stage: "live" },
      vpcSecurityGroupIds: [place.otherGroup, place.group],
      disableApiTermination: true,
    };
    expect((await done(machine(changed))).changes).toMatchObject({ update: 1, replace: 0 });
    expect(front.actions()).toEqual([
      "CreateTags",
      "ModifyNetworkInterfaceAttribute",
      "ModifyInstanceAttribute",
    ]);
    const [after] = await instances();
    expect(after!.InstanceId).toBe(before!.InstanceId);
    expect(after!.Tags).toContainEqual({ Key: "Stage", Value: "live" });
    expect((await inState("shop")).outputs).toMatchObject({ disableApiTermination: true });
    // The order of groups means nothing.
    const turned = { ...changed, vpcSecurityGroupIds: changed.vpcSecurityGroupIds.toReversed() };
    expect((await done(machine(turned))).changes).toMatchObject(nothing);

    const larger = {
      ...turned,
      instanceType: "t3.large",
      tags: { Name: "shop" },
      disableApiTermination: false,
    };
    expect((await done(machine(larger))).changes).toMatchObject({ update: 1, replace: 0 });
    expect(front.actions()).toEqual([
      "DeleteTags",
      "StopInstances",
      "ModifyInstanceAttribute",
      "StartInstances",
      "ModifyInstanceAttribute",
    ]);
    expect((await instances())[0]).toMatchObject({ InstanceType: "t3.large", State: { Name: "running" } });

    expect((await done(machine({ ...larger, keyName: "another" }))).changes).toMatchObject({ replace: 1 });
    expect(front.actions()).toEqual(["RunInstances", "TerminateInstances"]);
    // No image runs on both.
    await stack.configure({
      "ec2:resources": [machine({ ...larger, keyName: "another", instanceType: "t4g.large" })],
    });
    expect((await stack.preview()).changes).toMatchObject({ replace: 1 });
  });

  test("the root volume grows, options change and user data is given to the instance that is there", async () => {
    const root = (volumeSize: number, Name: string) => ({ volumeSize, volumeType: "gp3", tags: { Name } });
    const options = (httpTokens: string) => ({ httpEndpoint: "enabled", httpTokens });
    const first = { ...small(), rootBlockDevice: root(10, "root"), metadataOptions: options("optional") };
    await done(machine({ ...first, userData: "one" }));
    const second = { ...small(), rootBlockDevice: root(30, "larger"), metadataOptions: options("required") };
    await stack.configure({ "ec2:resources": [machine({ ...second, userData: "two" })] });
    front.clear();
    // moto wants it encoded twice, as one old client had it.
    const where = (parameters: Readonly<Record<string, string>>) => "UserData.Value" in parameters;
    front.rule("ModifyInstanceAttribute", { answer: { success: "<return>true</return>" }, where });
    expect((await stack.up()).changes).toMatchObject({ update: 1, replace: 0 });
    expect(front.actions()).toEqual([
      "StopInstances",
      "ModifyInstanceAttribute",
      "StartInstances",
      "ModifyInstanceMetadataOptions",
      "ModifyVolume",
      "CreateTags",
    ]);
    expect(parameters("ModifyInstanceAttribute")).toMatchObject([
      { "UserData.Value": Buffer.from("two").toString("base64") },
    ]);
    expect((await inState("shop")).outputs).toMatchObject(second);
    const { Volumes = [] } = await client.send(new DescribeVolumesCommand({}));
    expect(Volumes).toMatchObject([{ Size: 30, Tags: [{ Key: "Name", Value: "larger" }] }]);

    const replacing = { ...second, userData: "three", userDataReplaceOnChange: true };
    await stack.configure({ "ec2:resources": [machine(replacing)] });
    expect((await stack.preview()).changes).toMatchObject({ replace: 1 });
    const encrypted = {
      ...second,
      userData: "two",
      rootBlockDevice: { ...root(30, "larger"), encrypted: true },
    };
    await stack.configure({ "ec2:resources": [machine(encrypted)] });
    expect((await stack.preview()).changes).toMatchObject({ replace: 1 });
  });

  test("what EC2 throttles, fails on its side or cannot tell yet is asked again", async () => {
    await stack.configure({ "ec2:resources": [machine()] });
    front.rule("RunInstances", { answer: { code: "RequestLimitExceeded", status: 503 }, times: 2 });
    front.rule("RunInstances", { answer: "lost", times: 1 });
    front.rule("DescribeInstances", {
      answer: { code: "InvalidInstanceID.NotFound", status: 400 },
      times: 2,
    });
    front.rule("DescribeInstanceAttribute", { answer: { code: "InternalError", status: 500 }, times: 1 });
    front.rule("DescribeVolumes", { answer: "closed", times: 1 });
    const { exitCode, all } = await stack.up();
    expect(exitCode, all).toBe(0);
    // Twice refused, once done without an answer, once done: EC2 tells by the token that it is the same call.
    const tokens = parameters("RunInstances").map(({ ClientToken }) => ClientToken);
    expect(tokens).toHaveLength(4);
    expect(new Set(tokens).size).toBe(1);
    expect(
      front
        .of("DescribeInstances")
        .slice(0, 3)
        .map(({ status }) => status),
    ).toEqual([400, 400, 200]);
  });

  test("insufficient capacity is told as it is, and makes nothing", async () => {
    await stack.configure({ "ec2:resources": [machine()], "ec2:maxRetries": 1 });
    const message = "We currently do not have sufficient t3.micro capacity in us-east-1b.";
    front.rule("RunInstances", { answer: { code: "InsufficientInstanceCapacity", status: 500, message } });
    const { exitCode, all } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(all).toContain(`creating EC2 Instance: api error InsufficientInstanceCapacity: ${message}`);
    expect(front.of("RunInstances")).toHaveLength(1);
    expect(await inState("shop")).toBeUndefined();
  });

  test("an instance that was made and then fails is in the state", async () => {
    await stack.configure({ "ec2:resources": [machine({ ...small(), sourceDestCheck: false })] });
    front.rule("ModifyInstanceAttribute", { answer: { code: "UnauthorizedOperation", status: 403 } });
    const { exitCode, all } = await stack.up();
    expect(exitCode).not.toBe(0);
    expect(all).toContain("api error UnauthorizedOperation");
    const [made] = await instances();
    expect((await inState("shop")).id).toBe(made!.InstanceId);
    // The next run looks after what is there, and makes no second one.
    front.clear();
    expect((await stack.up()).exitCode).toBe(0);
    expect(front.of("RunInstances")).toEqual([]);
  });

  test("a protected instance stays, unless the state says that protection may be lifted", async () => {
    await done(machine());
    await done(machine({ ...small(), disableApiTermination: true }));
    const { exitCode, all } = await up();
    expect(exitCode).not.toBe(0);
    expect(all).toMatch(/terminating EC2 Instance \(i-\w+\): api error OperationNotPermitted/);
    expect((await instances())[0]).toMatchObject({ State: { Name: "running" } });

    await done(machine({ ...small(), disableApiTermination: true, forceDestroy: true }));
    await done();
    expect(front.actions()).toEqual([
      "ModifyInstanceAttribute",
      "ModifyInstanceAttribute",
      "TerminateInstances",
    ]);
    expect((await instances())[0]).toMatchObject({ State: { Name: "terminated" } });
  });

  test("what somebody else has terminated is gone, and made anew", async () => {
    await done(machine());
    const [gone] = await instances();
    await client.send(new TerminateInstancesCommand({ InstanceIds: [gone!.InstanceId!] }));
    expect((await stack.refresh()).all).toMatch(/- 1 deleted/);
    expect((await done(machine())).changes).toMatchObject({ create: 1 });
  });

  test("an instance of somebody else is imported, got and looked at", async () => {
    const { Instances = [] } = await client.send(
      new RunInstancesCommand({
        ImageId: place.ami,
        InstanceType: "t3.micro",
        MinCount: 1,
        MaxCount: 1,
        SubnetId: place.subnetId,
        SecurityGroupIds: [place.group],
        KeyName: "theirs",
        UserData: Buffer.from("#!/bin/sh\n").toString("base64"),
        TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "Name", Value: "shop" }] }],
      }),
    );
    const id = Instances[0]!.InstanceId!;
    await client.send(
      new ModifyInstanceAttributeCommand({ InstanceId: id, SourceDestCheck: { Value: false } }),
    );
    const { AllocationId } = await client.send(new AllocateAddressCommand({ Domain: "vpc" }));
    await stack.configure({
      "ec2:getInstance": { instanceId: id, getUserData: true },
      "ec2:getElasticIp": { id: AllocationId },
    });
    const args = { ...small(), sourceDestCheck: false };
    await done({ name: "got", type: "Instance", get: id }, { ...machine(args), import: id });
    expect(front.actions()).toEqual([]);
    const expected = {
      ...args,
      keyName: "theirs",
      userData: "#!/bin/sh\n",
      availabilityZone: "us-east-1b",
    };
    expect((await inState("got")).outputs).toMatchObject({ ...expected, instanceState: "running" });
    expect((await inState("shop")).outputs).toMatchObject({ ...expected, instanceState: "running" });
    const { told, elasticIp } = await stack.outputs();
    expect(told).toMatchObject({
      id,
      ami: place.ami,
      vpcSecurityGroupIds: [place.group],
      rootBlockDevices: [{ deviceName: "/dev/sda1" }],
      metadataOptions: [{ httpEndpoint: "enabled" }],
      // Its SHA-1: what was in it is told in base64 alone.
      userData: "bd971bec88149956458a10fc9c5ecb3eb99dd452",
      userDataBase64: Buffer.from("#!/bin/sh\n").toString("base64"),
    });
    expect(elasticIp).toMatchObject({
      id: AllocationId,
      domain: "vpc",
      publicIp: expect.any(String) as unknown,
    });

    await stack.configure({ "ec2:getInstance": { instanceId: "i-0123456789abcdef0" } });
    expect((await up()).all).toContain("reading EC2 Instance: Your query returned no results");
  });

  test("an input that nobody has thought of is refused before anything is made", async () => {
    const { exitCode, all } = await up(
      machine({
        ...small(),
        networkInterfaces: [],
        ebsBlockDevices: [{ deviceName: "/dev/sdf", volumeId: "vol-1" }],
      }),
    );
    expect(exitCode).not.toBe(0);
    expect(all).toContain("'networkInterfaces' is not known to this double");
    expect(all).toContain("'ebsBlockDevices[0].volumeId' is not known to this double");
    expect(front.calls).toEqual([]);
  });

  test("a snapshot, an image of it, and an instance of that", async () => {
    const volumeId = await aVolume();
    const wanted = (tags: Record<string, string>): Wanted[] => [
      { name: "snap", type: "Snapshot", args: { volumeId, description: "before the move", tags } },
      {
        name: "image",
        type: "Ami",
        args: {
          architecture: "x86_64",
          bootMode: "uefi-preferred",
          description: "of shop",
          ebsBlockDevices: [
            { deviceName: "/dev/sda1", snapshotId: "{snap.id}", volumeType: "gp3", volumeSize: 12 },
          ],
          enaSupport: true,
          imdsSupport: "v2.0",
          rootDeviceName: "/dev/sda1",
          tpmSupport: "v2.0",
          virtualizationType: "hvm",
          tags,
        },
      },
      machine({ ...small(), ami: "{image.id}" }),
    ];
    await stack.configure({ "ec2:resources": wanted({ Move: "1" }) });
    front.rule("DescribeImages", { answer: { code: "InvalidAMIID.NotFound", status: 400 }, times: 2 });
    front.rule("CreateSnapshot", {
      answer: {
        code: "SnapshotCreationPerVolumeRateExceeded",
        status: 400,
        message: "The maximum per volume CreateSnapshot request rate has been exceeded.",
      },
      times: 1,
    });
    const { exitCode, all } = await stack.up();
    expect(exitCode, all).toBe(0);
    expect(front.actions()).toEqual([
      "CreateSnapshot",
      "CreateSnapshot",
      "RegisterImage",
      "CreateTags",
      "RunInstances",
    ]);
    const [snap, image] = [await inState("snap"), await inState("image")];
    const { Snapshots = [] } = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [snap.id!] }));
    expect(Snapshots[0]).toMatchObject({
      Description: "before the move",
      VolumeId: volumeId,
      State: "completed",
      Tags: [{ Key: "Move", Value: "1" }],
    });
    expect(snap.outputs).toMatchObject({ volumeId, arn: `arn:aws:ec2:us-east-1::snapshot/${snap.id}` });
    expect(parameters("RegisterImage")).toEqual([
      expect.objectContaining({
        Name: expect.stringMatching(/^image-[0-9a-f]{7}$/) as unknown,
        Architecture: "x86_64",
        BootMode: "uefi-preferred",
        Description: "of shop",
        "BlockDeviceMapping.1.DeviceName": "/dev/sda1",
        "BlockDeviceMapping.1.Ebs.SnapshotId": snap.id,
        "BlockDeviceMapping.1.Ebs.VolumeType": "gp3",
        "BlockDeviceMapping.1.Ebs.VolumeSize": "12",
        "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true",
        EnaSupport: "true",
        ImdsSupport: "v2.0",
        RootDeviceName: "/dev/sda1",
        SriovNetSupport: "simple",
        TpmSupport: "v2.0",
        VirtualizationType: "hvm",
      }),
    ]);
    expect((await instances()).map(({ ImageId }) => ImageId)).toContain(image.id);

    expect((await done(...wanted({ Move: "1" }))).changes).toMatchObject(nothing);
    expect((await done(...wanted({ Move: "2" }))).changes).toMatchObject({
      update: 2,
      replace: 0,
    });
    expect(front.actions()).toEqual(["CreateTags", "CreateTags"]);
    await done();
    expect(front.actions()).toEqual(["TerminateInstances", "DeregisterImage", "DeleteSnapshot"]);
    const left = client.send(new DescribeSnapshotsCommand({ SnapshotIds: [snap.id!] }));
    await expect(left).rejects.toMatchObject({ name: "InvalidSnapshot.NotFound" });
  });

  test("a rule of a security group is made, changed, replaced and revoked", async () => {
    const rule = (args: Record<string, unknown>): Wanted => ({
      name: "postgres",
      type: "SecurityGroupIngressRule",
      args: { securityGroupId: place.group, ipProtocol: "tcp", fromPort: 5432, toPort: 5432, ...args },
    });
    const found = async () => {
      const Filters = [{ Name: "group-id", Values: [place.group] }];
      const { SecurityGroupRules = [] } = await client.send(
        new DescribeSecurityGroupRulesCommand({ Filters }),
      );
      return SecurityGroupRules.filter(({ IsEgress }) => !IsEgress);
    };
    const first = { cidrIpv4: "10.9.1.50/32", description: "new server", tags: { Move: "1" } };
    await done(rule(first));
    const [made] = await found();
    expect(made).toMatchObject({
      CidrIpv4: "10.9.1.50/32",
      FromPort: 5432,
      ToPort: 5432,
      IpProtocol: "tcp",
      Description: "new server",
      Tags: [{ Key: "Move", Value: "1" }],
    });
    const { id, outputs } = await inState("postgres");
    expect(id).toBe(made!.SecurityGroupRuleId);
    expect(outputs).toMatchObject({ securityGroupRuleId: id, cidrIpv4: "10.9.1.50/32" });
    expect((await done(rule(first))).changes).toMatchObject(nothing);
    expect((await done(rule({ ...first, cidrIpv4: "10.9.1.51/32" }))).changes).toMatchObject({ update: 1 });
    expect(front.actions()).toEqual(["ModifySecurityGroupRules"]);
    expect((await stack.refresh()).changes).toMatchObject(nothing);
    const other = { referencedSecurityGroupId: place.otherGroup };
    expect((await done(rule(other))).changes).toMatchObject({ replace: 1 });
    expect(await found()).toMatchObject([{ ReferencedGroupInfo: { GroupId: place.otherGroup } }]);
    expect((await up(rule({ ...other, cidrIpv6: "::/0" }))).all).toContain("Exactly one of");
    await done();
    expect(await found()).toEqual([]);
  });
});
