/** What the copy's image and the copy are made with: every property of the original. Pure. */
import { createHash } from "node:crypto";
import type { Tag } from "@aws-sdk/client-ec2";
import type { AmiArgs } from "@pulumi/aws/ec2/ami.js";
import type { InstanceArgs } from "@pulumi/aws/ec2/instance.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Finding } from "../guards/guards.ts";
import type { Original, OriginalVolume } from "./original.ts";

/** Tags by which the copy of a move is found. */
export const forkTags = { move: "changeover:move", of: "changeover:fork-of", hostKey: "changeover:host-key" };

/** What tells the copies of an instance that a move has made. */
export function copiesOf(move: string, instance: string): { Name: string; Values: string[] }[] {
  return [
    { Name: `tag:${forkTags.move}`, Values: [move] },
    { Name: `tag:${forkTags.of}`, Values: [instance] },
  ];
}

/** The tag of old that says since when this move has stopped it. */
export const stoppedTag = "changeover:stopped";

/** How tags of the image begin that name the volume of each device. */
export const volumeTag = "changeover:volume:";

/** The image's name: of a move and an instance there is one at a time. */
export function imageName(move: string, of: string): string {
  return `changeover-${move}-${of}`;
}

/** Tags as a program has them, without AWS's own. */
export function ownTags(tags: readonly Tag[] = []): Record<string, string> {
  return Object.fromEntries(
    tags.flatMap(({ Key = "", Value = "" }) => (Key.startsWith("aws:") ? [] : [[Key, Value]])),
  );
}

/** Size, type and speed of a volume; a speed only where its type takes one. */
function settingsOf({ volume, deleteOnTermination }: OriginalVolume) {
  const { Size, VolumeType, Iops, Throughput } = volume;
  return {
    deleteOnTermination,
    ...(Size === undefined ? {} : { volumeSize: Size }),
    ...(VolumeType === undefined ? {} : { volumeType: VolumeType }),
    ...(Iops !== undefined && ["gp3", "io1", "io2"].includes(VolumeType ?? "") ? { iops: Iops } : {}),
    ...(Throughput !== undefined && VolumeType === "gp3" ? { throughput: Throughput } : {}),
  };
}

/**
 * The image: the original's volumes as their snapshots have them, encrypted where those are.
 * @param snapshots the snapshots' ids by the volumes'.
 */
export function imageArgs(
  { instance, volumes, image }: Original,
  snapshots: ReadonlyMap<string, pulumi.Input<string>>,
): AmiArgs {
  const { Architecture, BootMode, EnaSupport, RootDeviceName, SriovNetSupport, TpmSupport } = instance;
  const { VirtualizationType } = instance;
  return {
    architecture: Architecture ?? "x86_64",
    virtualizationType: VirtualizationType ?? "hvm",
    rootDeviceName: RootDeviceName ?? "/dev/xvda",
    enaSupport: EnaSupport ?? false,
    ...(SriovNetSupport ? { sriovNetSupport: SriovNetSupport } : {}),
    ...(BootMode ? { bootMode: BootMode } : {}),
    ...(TpmSupport ? { tpmSupport: TpmSupport } : {}),
    ...(image?.ImdsSupport ? { imdsSupport: image.ImdsSupport } : {}),
    ebsBlockDevices: volumes.map((attached) => ({
      deviceName: attached.device,
      snapshotId: snapshots.get(attached.volume.VolumeId!)!,
      ...settingsOf(attached),
    })),
  };
}

/** What of the copy is its own. */
export interface CopyOwn {
  image: pulumi.Input<string>;
  /** By the original volumes' ids. */
  snapshots: ReadonlyMap<string, pulumi.Input<string>>;
  /** It is reached by a public address of its own. */
  isPublic: boolean;
  /** Tags beside the original's. */
  tags: Record<string, pulumi.Input<string>>;
}

/** The copy: as the original, and protected from being terminated by accident. */
export function copyArgs(original: Original, { image, snapshots, isPublic, tags }: CopyOwn): InstanceArgs {
  const { instance, volumes, network } = original;
  const isRoot = ({ device }: OriginalVolume) => device === instance.RootDeviceName;
  const root = volumes.find(isRoot);
  return {
    ami: image,
    instanceType: instance.InstanceType!,
    disableApiTermination: true,
    // The way back terminates it all the same.
    forceDestroy: true,
    ebsOptimized: instance.EbsOptimized ?? false,
    monitoring: ["enabled", "pending"].includes(instance.Monitoring?.State ?? ""),
    sourceDestCheck: instance.SourceDestCheck ?? network?.SourceDestCheck ?? true,
    hibernation: instance.HibernationOptions?.Configured ?? false,
    tags: { ...ownTags(instance.Tags), ...tags },
    ...(original.disableApiStop ? { disableApiStop: true } : {}),
    ...(original.shutdownBehavior && original.shutdownBehavior !== "stop"
      ? { instanceInitiatedShutdownBehavior: original.shutdownBehavior }
      : {}),
    ...(original.userData ? { userDataBase64: original.userData } : {}),
    ...(original.cpuCredits ? { creditSpecification: { cpuCredits: original.cpuCredits } } : {}),
    ...(instance.KeyName ? { keyName: instance.KeyName } : {}),
    ...(instance.IamInstanceProfile?.Arn
      ? { iamInstanceProfile: instance.IamInstanceProfile.Arn.split("/").at(-1)! }
      : {}),
    ...networkArgs(original, isPublic),
    ...placementArgs(original),
    ...optionArgs(original),
    ...(root ? { rootBlockDevice: { ...settingsOf(root), tags: ownTags(root.volume.Tags) } } : {}),
    ebsBlockDevices: volumes
      .filter((attached) => !isRoot(attached))
      .map((attached) => ({
        deviceName: attached.device,
        snapshotId: snapshots.get(attached.volume.VolumeId!)!,
        ...settingsOf(attached),
        tags: ownTags(attached.volume.Tags),
      })),
  };
}

/** Where it is in the network: an address is one machine's, so the copy gets others, as many. */
function networkArgs({ instance, network }: Original, isPublic: boolean): Partial<InstanceArgs> {
  const groups = network?.Groups ?? instance.SecurityGroups ?? [];
  const ipv6 = network?.Ipv6Addresses?.length ?? 0;
  const subnet = instance.SubnetId ?? network?.SubnetId;
  return {
    ...(subnet ? { subnetId: subnet } : {}),
    vpcSecurityGroupIds: groups.map(({ GroupId }) => GroupId!),
    ...(ipv6 > 0 ? { ipv6AddressCount: ipv6 } : {}),
    ...(isPublic ? { associatePublicIpAddress: true } : {}),
  };
}

function placementArgs({ instance: { Placement = {} } }: Original): Partial<InstanceArgs> {
  const { GroupName, PartitionNumber, Tenancy, HostId } = Placement;
  return {
    ...(GroupName ? { placementGroup: GroupName } : {}),
    ...(PartitionNumber ? { placementPartitionNumber: PartitionNumber } : {}),
    ...(Tenancy && Tenancy !== "default" ? { tenancy: Tenancy } : {}),
    ...(HostId ? { hostId: HostId } : {}),
  };
}

function optionArgs({ instance, cpuOptions }: Original): Partial<InstanceArgs> {
  const { MetadataOptions: metadata, MaintenanceOptions, PrivateDnsNameOptions: names } = instance;
  const { EnclaveOptions, CapacityReservationSpecification: capacity } = instance;
  const target = capacity?.CapacityReservationTarget;
  return {
    ...(metadata
      ? {
          metadataOptions: {
            httpEndpoint: metadata.HttpEndpoint ?? "enabled",
            ...(metadata.HttpTokens ? { httpTokens: metadata.HttpTokens } : {}),
            ...(metadata.HttpPutResponseHopLimit
              ? { httpPutResponseHopLimit: metadata.HttpPutResponseHopLimit }
              : {}),
            ...(metadata.HttpProtocolIpv6 ? { httpProtocolIpv6: metadata.HttpProtocolIpv6 } : {}),
            ...(metadata.InstanceMetadataTags ? { instanceMetadataTags: metadata.InstanceMetadataTags } : {}),
          },
        }
      : {}),
    ...(MaintenanceOptions?.AutoRecovery
      ? { maintenanceOptions: { autoRecovery: MaintenanceOptions.AutoRecovery } }
      : {}),
    ...(names?.HostnameType
      ? {
          privateDnsNameOptions: {
            hostnameType: names.HostnameType,
            enableResourceNameDnsARecord: names.EnableResourceNameDnsARecord ?? false,
            enableResourceNameDnsAaaaRecord: names.EnableResourceNameDnsAAAARecord ?? false,
          },
        }
      : {}),
    ...(EnclaveOptions?.Enabled ? { enclaveOptions: { enabled: true } } : {}),
    ...(capacity
      ? {
          capacityReservationSpecification: target?.CapacityReservationId
            ? { capacityReservationTarget: { capacityReservationId: target.CapacityReservationId } }
            : target?.CapacityReservationResourceGroupArn
              ? {
                  capacityReservationTarget: {
                    capacityReservationResourceGroupArn: target.CapacityReservationResourceGroupArn,
                  },
                }
              : { capacityReservationPreference: capacity.CapacityReservationPreference ?? "open" },
        }
      : {}),
    ...(cpuOptions
      ? {
          cpuOptions: {
            ...(cpuOptions.CoreCount === undefined ? {} : { coreCount: cpuOptions.CoreCount }),
            ...(cpuOptions.ThreadsPerCore === undefined ? {} : { threadsPerCore: cpuOptions.ThreadsPerCore }),
            ...(cpuOptions.AmdSevSnp ? { amdSevSnp: cpuOptions.AmdSevSnp } : {}),
            ...(cpuOptions.NestedVirtualization
              ? { nestedVirtualization: cpuOptions.NestedVirtualization }
              : {}),
          },
        }
      : {}),
  };
}

/** Properties of the copy that are not the original's, each as `monitoring: true on old, false on the copy`. */
export function differences(original: Original, copy: Original): string[] {
  const [old, fresh] = [original, copy].map(comparable) as [Comparable, Comparable];
  return [...new Set([...Object.keys(old), ...Object.keys(fresh)])].flatMap((name) => {
    const [before, after] = [old[name], fresh[name]].map((value) => JSON.stringify(value) ?? "none");
    return before === after ? [] : [`${name}: ${before} on old, ${after} on the copy`];
  });
}

type Comparable = Record<string, unknown>;

/** What has to be the same: all but ids, and tags of the move. User data may hold secrets: only whether it is the same is told. */
function comparable(of: Original): Comparable {
  const args: Comparable = {
    ...imageArgs(of, new Map()),
    ...copyArgs(of, { image: "", snapshots: new Map(), isPublic: false, tags: {} }),
  };
  const tags = Object.entries(args["tags"] as Record<string, string>);
  const devices = args["ebsBlockDevices"] as { deviceName: string }[];
  return {
    ...args,
    tags: Object.fromEntries(tags.filter(([key]) => !key.startsWith("changeover:")).toSorted()),
    userDataBase64: createHash("sha256")
      .update(of.userData ?? "")
      .digest("hex")
      .slice(0, 8),
    ebsBlockDevices: devices.toSorted((one, other) => one.deviceName.localeCompare(other.deviceName)),
  };
}

/** What an instance has that no copy can have by these means. */
export function checkOriginal({ instance, volumes }: Original): Finding[] {
  const { InstanceId, NetworkInterfaces = [], Tags = [], BlockDeviceMappings = [] } = instance;
  const secondary = NetworkInterfaces.flatMap(({ PrivateIpAddresses = [] }) => PrivateIpAddresses).filter(
    ({ Primary }) => Primary === false,
  );
  const group = Tags.find(({ Key }) => Key === "aws:autoscaling:groupName")?.Value;
  const finding = (rule: string, value: string, remedy: string): Finding => ({
    place: `instance ${InstanceId} (old)`,
    rule,
    value,
    remedy,
  });
  return [
    ...(instance.RootDeviceType === "instance-store" || volumes.length === 0
      ? [
          finding(
            "has its root on an EBS volume",
            "it has it on the host's own disk",
            "move the site with the runbook serverMove",
          ),
        ]
      : []),
    ...(instance.InstanceLifecycle
      ? [
          finding(
            "is an on-demand instance",
            `it is a ${instance.InstanceLifecycle} instance`,
            "a copy would be on demand: move the site with the runbook serverMove",
          ),
        ]
      : []),
    ...(instance.PlatformDetails && instance.PlatformDetails !== "Linux/UNIX"
      ? [
          finding(
            "runs a Linux without a licence of its own",
            `AWS bills it as ${instance.PlatformDetails}`,
            "an image made of snapshots loses that; move the site with the runbook serverMove",
          ),
        ]
      : []),
    ...(NetworkInterfaces.length > 1
      ? [
          finding(
            "has one network interface",
            `it has ${NetworkInterfaces.length}`,
            "detach those that the site does without, or move it with the runbook serverMove",
          ),
        ]
      : []),
    ...(secondary.length > 0
      ? [
          finding(
            "has one private address",
            `it has ${secondary.map(({ PrivateIpAddress }) => PrivateIpAddress).join(", ")} beside it`,
            "an address is one machine's: unassign what the site does without, or move it with the runbook serverMove",
          ),
        ]
      : []),
    ...(group === undefined
      ? []
      : [
          finding(
            "is in no Auto Scaling group",
            `it is in ${group}`,
            "a stopped instance would be replaced there: detach it first (aws autoscaling detach-instances)",
          ),
        ]),
    ...volumes
      .filter(({ volume }) => volume.MultiAttachEnabled)
      .map(({ device, volume }) => ({
        ...finding(
          "shares no volume with other machines",
          `${volume.VolumeId} (${device}) is one of several machines'`,
          "its snapshot would be written by all of them: detach it, or move the site with the runbook serverMove",
        ),
      })),
    ...(BlockDeviceMappings.some(({ Ebs }) => Ebs?.VolumeId === undefined)
      ? [
          finding(
            "has EBS volumes only",
            "it has a disk of the host, which no snapshot holds",
            "see that nothing of the site is there",
          ),
        ].map((found) => ({ ...found, warning: true }))
      : []),
  ];
}
