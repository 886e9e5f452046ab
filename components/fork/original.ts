/** Everything that EC2 tells of an instance that a copy has to have, too. */
import type {
  CpuOptions,
  EC2Client,
  Image,
  Instance,
  InstanceNetworkInterface,
  Volume,
} from "@aws-sdk/client-ec2";

/** An instance, with what only questions of their own tell. */
export interface Original {
  instance: Instance;
  /** The interface that came with it. */
  network: InstanceNetworkInterface | undefined;
  volumes: readonly OriginalVolume[];
  /** In base64. */
  userData: string | undefined;
  disableApiStop: boolean;
  shutdownBehavior: string | undefined;
  /** How CPU credits are paid, where the type has such. */
  cpuCredits: string | undefined;
  /** The image it was made of; none where it is gone. */
  image: Pick<Image, "ImdsSupport"> | undefined;
  /** CPU options that are not what the type has by itself. */
  cpuOptions: CpuOptions | undefined;
}

/** A volume as it is attached. */
export interface OriginalVolume {
  device: string;
  deleteOnTermination: boolean;
  volume: Volume;
}

/** Asks all that is to be known of an instance that is there. */
export async function askOriginal(client: EC2Client, instance: Instance): Promise<Original> {
  const ec2 = await import("@aws-sdk/client-ec2");
  const { InstanceId, BlockDeviceMappings = [], NetworkInterfaces = [] } = instance;
  const attribute = (Attribute: "userData" | "disableApiStop" | "instanceInitiatedShutdownBehavior") =>
    client.send(new ec2.DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
  const attached = BlockDeviceMappings.filter(({ Ebs }) => Ebs?.VolumeId !== undefined);
  const [userData, stop, shutdown, volumes, images, types] = await Promise.all([
    attribute("userData"),
    attribute("disableApiStop"),
    attribute("instanceInitiatedShutdownBehavior"),
    client.send(new ec2.DescribeVolumesCommand({ VolumeIds: attached.map(({ Ebs }) => Ebs!.VolumeId!) })),
    client.send(
      new ec2.DescribeImagesCommand({
        Filters: [{ Name: "image-id", Values: [instance.ImageId ?? "none"] }],
      }),
    ),
    client.send(new ec2.DescribeInstanceTypesCommand({ InstanceTypes: [instance.InstanceType!] })),
  ]);
  const [type] = types.InstanceTypes ?? [];
  const credits = type?.BurstablePerformanceSupported
    ? await client.send(new ec2.DescribeInstanceCreditSpecificationsCommand({ InstanceIds: [InstanceId!] }))
    : undefined;
  const byId = new Map((volumes.Volumes ?? []).map((volume) => [volume.VolumeId, volume]));
  return {
    instance,
    network: NetworkInterfaces.find(({ Attachment }) => (Attachment?.DeviceIndex ?? 0) === 0),
    volumes: attached.map(({ DeviceName, Ebs }) => ({
      device: DeviceName!,
      deleteOnTermination: Ebs!.DeleteOnTermination ?? false,
      volume: byId.get(Ebs!.VolumeId) ?? { VolumeId: Ebs!.VolumeId },
    })),
    userData: userData.UserData?.Value,
    disableApiStop: stop.DisableApiStop?.Value ?? false,
    shutdownBehavior: shutdown.InstanceInitiatedShutdownBehavior?.Value,
    cpuCredits: credits?.InstanceCreditSpecifications?.[0]?.CpuCredits,
    image: images.Images?.[0],
    cpuOptions: ownCpuOptions(instance.CpuOptions, type?.VCpuInfo),
  };
}

/** Some types refuse CPU options, even those that they have by themselves. */
function ownCpuOptions(
  options: CpuOptions | undefined,
  type: { DefaultCores?: number | undefined; DefaultThreadsPerCore?: number | undefined } | undefined,
): CpuOptions | undefined {
  if (!options) return undefined;
  const { CoreCount, ThreadsPerCore, AmdSevSnp, NestedVirtualization } = options;
  const differs =
    (CoreCount !== undefined && type?.DefaultCores !== undefined && CoreCount !== type.DefaultCores) ||
    (ThreadsPerCore !== undefined &&
      type?.DefaultThreadsPerCore !== undefined &&
      ThreadsPerCore !== type.DefaultThreadsPerCore) ||
    AmdSevSnp === "enabled" ||
    NestedVirtualization === "enabled";
  return differs ? options : undefined;
}
