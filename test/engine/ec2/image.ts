// aws:ec2/ami:Ami for the double of the AWS provider.
import {
  type BlockDeviceMapping,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DisableImageDeprecationCommand,
  type EC2Client,
  EnableImageDeprecationCommand,
  type Image,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  type RegisterImageRequest,
} from "@aws-sdk/client-ec2";
import type { AmiArgs } from "@pulumi/aws/ec2/ami.js";
import type { Unwrap } from "@pulumi/pulumi";
import type { Aws } from "../awsProvider.ts";
import type { Wire } from "../commandInputs.ts";
import type { ResourceType } from "../resourceProvider.ts";
import * as schema from "../schema.ts";
import {
  arnOf,
  clientOf,
  createTags,
  doing,
  finish,
  ifKnown,
  readTags,
  remoteOf,
  until,
  updateTags,
} from "./client.ts";

type Inputs = Unwrap<AmiArgs>;

const createSeconds = 2400;
const deleteSeconds = 5400;
const updateSeconds = 600;
const notFound = ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"];

const fields: schema.Fields = {
  architecture: schema.or("x86_64", schema.text("replaces")),
  bootMode: schema.text("replaces"),
  deprecationTime: schema.text(),
  description: schema.text(),
  ebsBlockDevices: schema.objects(
    "deviceName",
    {
      deleteOnTermination: schema.or(true, schema.flag("replaces")),
      deviceName: schema.text("required", "replaces"),
      encrypted: schema.flag("computed", "replaces"),
      iops: schema.number("computed", "replaces"),
      outpostArn: schema.text("replaces"),
      snapshotId: schema.text("computed", "replaces"),
      throughput: schema.number("computed", "replaces"),
      volumeSize: schema.number("computed", "replaces"),
      volumeType: schema.or("standard", schema.text("replaces")),
    },
    "computed",
  ),
  enaSupport: schema.flag("replaces"),
  ephemeralBlockDevices: schema.objects(
    "deviceName",
    { deviceName: schema.text("required", "replaces"), virtualName: schema.text("required", "replaces") },
    "computed",
    "replaces",
  ),
  imageLocation: schema.text("computed", "replaces"),
  imdsSupport: schema.text("replaces"),
  kernelId: schema.text("replaces"),
  name: schema.text("required", "replaces"),
  ramdiskId: schema.text("replaces"),
  rootDeviceName: schema.text("replaces"),
  sriovNetSupport: schema.or("simple", schema.text("replaces")),
  tags: schema.tags(),
  tpmSupport: schema.text("replaces"),
  uefiData: schema.text("replaces"),
  virtualizationType: schema.or("paravirtual", schema.text("replaces")),
} satisfies Partial<Record<keyof AmiArgs, schema.Field>>;

/** Finds an image; one that is deregistered is none. */
export async function findImage(client: EC2Client, id: string): Promise<Image | undefined> {
  const found = await ifKnown(client.send(new DescribeImagesCommand({ ImageIds: [id] })), ...notFound);
  const image = found?.Images?.[0];
  return image?.State === "deregistered" ? undefined : image;
}

function mappingsOf({ ebsBlockDevices = [], ephemeralBlockDevices = [] }: Inputs): BlockDeviceMapping[] {
  return [
    ...ebsBlockDevices.map((device): BlockDeviceMapping => {
      const { deleteOnTermination = true, volumeType = "standard", snapshotId, encrypted = false } = device;
      if (snapshotId && encrypted) throw new Error("can't set both 'snapshot_id' and 'encrypted'");
      return {
        DeviceName: device.deviceName,
        Ebs: {
          DeleteOnTermination: deleteOnTermination,
          VolumeType: volumeType as "gp3",
          // The API refuses the flag beside a snapshot: the volume is encrypted where the snapshot is.
          ...(snapshotId ? { SnapshotId: snapshotId } : { Encrypted: encrypted }),
          ...(device.iops ? { Iops: device.iops } : {}),
          ...(device.throughput ? { Throughput: device.throughput } : {}),
          ...(device.volumeSize ? { VolumeSize: device.volumeSize } : {}),
          ...(device.outpostArn ? { OutpostArn: device.outpostArn } : {}),
        },
      };
    }),
    ...ephemeralBlockDevices.map(({ deviceName, virtualName }) => ({
      DeviceName: deviceName,
      VirtualName: virtualName,
    })),
  ];
}

function requestOf(inputs: Inputs): RegisterImageRequest {
  const mappings = mappingsOf(inputs);
  return {
    Architecture: (inputs.architecture ?? "x86_64") as "x86_64",
    Description: inputs.description ?? "",
    EnaSupport: inputs.enaSupport ?? false,
    ImageLocation: inputs.imageLocation ?? "",
    Name: inputs.name!,
    RootDeviceName: inputs.rootDeviceName ?? "",
    SriovNetSupport: inputs.sriovNetSupport ?? "simple",
    VirtualizationType: inputs.virtualizationType ?? "paravirtual",
    ...(mappings.length > 0 ? { BlockDeviceMappings: mappings } : {}),
    ...(inputs.bootMode ? { BootMode: inputs.bootMode as "uefi" } : {}),
    ...(inputs.imdsSupport ? { ImdsSupport: inputs.imdsSupport as "v2.0" } : {}),
    ...(inputs.kernelId ? { KernelId: inputs.kernelId } : {}),
    ...(inputs.ramdiskId ? { RamdiskId: inputs.ramdiskId } : {}),
    ...(inputs.tpmSupport ? { TpmSupport: inputs.tpmSupport as "v2.0" } : {}),
    ...(inputs.uefiData ? { UefiData: inputs.uefiData } : {}),
  };
}

function stateOf(aws: Aws, image: Image) {
  const tags = readTags(image.Tags);
  const { BlockDeviceMappings: mappings = [] } = image;
  const root = mappings.find(({ DeviceName }) => DeviceName === image.RootDeviceName);
  return {
    architecture: image.Architecture,
    // The owner of an image is not in its ARN.
    arn: arnOf(aws, "", `image/${image.ImageId}`),
    bootMode: image.BootMode,
    deprecationTime: image.DeprecationTime,
    description: image.Description,
    ebsBlockDevices: mappings.flatMap(({ DeviceName, Ebs }) =>
      Ebs
        ? [
            {
              deleteOnTermination: Ebs.DeleteOnTermination,
              deviceName: DeviceName,
              encrypted: Ebs.Encrypted,
              iops: Ebs.Iops,
              outpostArn: Ebs.OutpostArn,
              snapshotId: Ebs.SnapshotId,
              throughput: Ebs.Throughput,
              volumeSize: Ebs.VolumeSize,
              volumeType: Ebs.VolumeType,
            },
          ]
        : [],
    ),
    enaSupport: image.EnaSupport,
    ephemeralBlockDevices: mappings.flatMap(({ DeviceName, VirtualName }) =>
      VirtualName ? [{ deviceName: DeviceName, virtualName: VirtualName }] : [],
    ),
    hypervisor: image.Hypervisor,
    imageLocation: image.ImageLocation,
    imageOwnerAlias: image.ImageOwnerAlias,
    imageType: image.ImageType,
    imdsSupport: image.ImdsSupport,
    kernelId: image.KernelId,
    lastLaunchedTime: image.LastLaunchedTime,
    manageEbsSnapshots: false,
    name: image.Name,
    ownerId: image.OwnerId,
    platform: image.Platform,
    platformDetails: image.PlatformDetails,
    public: image.Public,
    ramdiskId: image.RamdiskId,
    region: aws.region,
    rootDeviceName: image.RootDeviceName,
    rootSnapshotId: root?.Ebs?.SnapshotId,
    sriovNetSupport: image.SriovNetSupport,
    tags,
    tagsAll: tags,
    tpmSupport: image.TpmSupport,
    usageOperation: image.UsageOperation,
    virtualizationType: image.VirtualizationType,
  };
}

function available(client: EC2Client, id: string, what: string): Promise<Image> {
  return until({
    what,
    seconds: createSeconds,
    look: () => findImage(client, id),
    state: ({ State = "" }) => State,
    pending: ["pending"],
    target: ["available"],
    reason: ({ StateReason }) => StateReason?.Message,
  });
}

async function deprecate(client: EC2Client, id: string, time: string | undefined): Promise<void> {
  if (time)
    await client.send(new EnableImageDeprecationCommand({ ImageId: id, DeprecateAt: new Date(time) }));
  else await client.send(new DisableImageDeprecationCommand({ ImageId: id }));
  await until({
    what: "waiting for completion",
    seconds: updateSeconds,
    look: () => findImage(client, id),
    state: ({ DeprecationTime }) => String(Date.parse(DeprecationTime ?? "")),
    pending: ["NaN"],
    target: [String(Date.parse(time ?? ""))],
  });
}

async function describe(client: EC2Client, id: string, description: string): Promise<void> {
  await client.send(new ModifyImageAttributeCommand({ ImageId: id, Description: { Value: description } }));
  await until({
    what: "waiting for completion",
    seconds: updateSeconds,
    look: () => findImage(client, id),
    state: ({ Description = "" }) => (Description === description ? "new" : "old"),
    pending: ["old"],
    target: ["new"],
  });
}

export const image: ResourceType<Aws> = {
  check: (inputs) => schema.unfit(fields, inputs),
  named: (inputs, fresh, olds) =>
    inputs["name"] === undefined ? { ...inputs, name: olds["name"] ?? fresh } : inputs,
  diff: (_aws, olds, news) => schema.differences(fields, olds, news),
  create: async (aws, inputs) => {
    const client = clientOf(aws);
    const { name, tags, deprecationTime } = inputs as Inputs;
    const creating = `creating EC2 AMI (${name})`;
    const { ImageId: id = "" } = await doing(creating, () =>
      client.send(new RegisterImageCommand(requestOf(inputs as Inputs))),
    );
    return finish({ id, inputs }, async () => {
      await doing(`setting EC2 AMI (${id}) tags`, () => createTags(client, id, tags));
      await available(client, id, `${creating}: waiting for completion`);
      if (deprecationTime) await doing(creating, () => deprecate(client, id, deprecationTime));
      return stateAfter(aws, client, id, inputs);
    });
  },
  read: async (aws, id, _known, given) => {
    const client = clientOf(aws);
    const found = await doing(`reading EC2 AMI (${id})`, () => findImage(client, id));
    if (!found) return undefined;
    const ready =
      found.State === "pending" ? await available(client, id, `waiting for EC2 AMI (${id}) create`) : found;
    return remoteOf(fields, id, stateOf(aws, ready), given);
  },
  update: (aws, id, inputs, olds) =>
    doing(`updating EC2 AMI (${id})`, async () => {
      const client = clientOf(aws);
      const { description = "", deprecationTime } = inputs as Inputs;
      await updateTags(client, id, olds["tags"], inputs["tags"]);
      if ((olds["description"] ?? "") !== description) await describe(client, id, description);
      if (olds["deprecationTime"] !== deprecationTime) await deprecate(client, id, deprecationTime);
      return stateAfter(aws, client, id, inputs);
    }),
  delete: async (aws, id) => {
    const client = clientOf(aws);
    const gone = await doing(`deregistering EC2 AMI (${id})`, async () => {
      const answer = await ifKnown(client.send(new DeregisterImageCommand({ ImageId: id })), ...notFound);
      return answer === undefined;
    });
    if (gone) return;
    await until({
      what: `waiting for EC2 AMI (${id}) delete`,
      seconds: deleteSeconds,
      look: async () => (await findImage(client, id))?.State ?? "gone",
      state: (state) => state,
      pending: ["available", "failed", "pending"],
      target: ["gone"],
    });
  },
};

async function stateAfter(aws: Aws, client: EC2Client, id: string, inputs: Wire) {
  const found = await findImage(client, id);
  if (!found) throw new Error(`reading EC2 AMI (${id}): couldn't find resource`);
  return { ...remoteOf(fields, id, stateOf(aws, found), inputs), inputs };
}
