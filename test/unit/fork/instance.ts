/** What EC2 tells of an instance, property by property, and what the resources of its copy are given for it. */
import type { Image, Instance, InstanceTypeInfo, ShutdownBehavior, Volume } from "@aws-sdk/client-ec2";
import { completeFork } from "./settings.ts";

export type Inputs = Record<string, unknown>;

/** What EC2 tells of an instance, by the questions that there are. */
export interface Told {
  instance?: Instance;
  /** By their ids. */
  volumes?: Record<string, Volume>;
  userData?: string;
  disableApiStop?: boolean;
  shutdown?: ShutdownBehavior;
  /** The image that old was made of. */
  image?: Image;
  type?: InstanceTypeInfo;
  /** Asked of a burstable type alone: EC2 refuses it of others. */
  credits?: string;
  /** What a run that was cut off has left. */
  copies?: Instance[];
  copyImages?: Image[];
}

export const disks = ["root", "data", "logs"] as const;
type Disk = (typeof disks)[number];

/** Resources of AWS, as they are called here: the copy, its image, and the snapshots of its disks. */
export type Name = "copy" | "image" | Disk;

/** Their types and names in the stack. */
export const resources: Record<Name, readonly [type: string, name: string]> = {
  copy: ["aws:ec2/instance:Instance", "copy"],
  image: ["aws:ec2/ami:Ami", "image"],
  root: ["aws:ebs/snapshot:Snapshot", "snapshot-vol-root"],
  data: ["aws:ebs/snapshot:Snapshot", "snapshot-vol-data"],
  logs: ["aws:ebs/snapshot:Snapshot", "snapshot-vol-logs"],
};

/** What of the inputs of each resource comes of something that was told. */
type Given = Partial<Record<Name, Inputs>>;
type Row = [what: string, told: Told, given: Given];

/** Objects key by key, lists place by place; of what both have, the later one counts. */
export function merge<T>(one: T, other: unknown): T {
  if (Array.isArray(one) && Array.isArray(other)) {
    const [here, there] = [one as unknown[], other as unknown[]];
    const length = Math.max(here.length, there.length);
    return Array.from({ length }, (_, index) => merge(here[index], there[index])) as T;
  }
  if (one === undefined || other === undefined) return (other ?? one) as T;
  if (typeof one !== "object" || typeof other !== "object") return other as T;
  const keys = new Set([...Object.keys(one as Inputs), ...Object.keys(other as Inputs)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, merge((one as Inputs)[key], (other as Inputs)[key])]),
  ) as T;
}

export const old = completeFork.aws.old;
export const hostKey = "ssh-ed25519 AAAAcopy";
const copyTags = { "changeover:move": "shop", "changeover:fork-of": old };

/** What every instance has, without which there would be none. */
export const bare: Told = {
  instance: {
    InstanceId: old,
    InstanceType: "m5.large",
    State: { Name: "running" },
    NetworkInterfaces: [{ PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: "10.0.1.10" }] }],
    RootDeviceName: "/dev/xvda",
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeId: "vol-root" } }],
  },
};

/** What comes of that alone: what has no default at EC2, and what is changeover's own. */
export const bareGiven: Given = {
  root: {
    volumeId: "vol-root",
    description: `changeover shop: ${old} /dev/xvda`,
    tags: { Name: `changeover shop: ${old} /dev/xvda`, "changeover:move": "shop" },
  },
  image: {
    name: `changeover-shop-${old}`,
    description: `changeover shop: ${old}`,
    architecture: "x86_64",
    virtualizationType: "hvm",
    rootDeviceName: "/dev/xvda",
    enaSupport: false,
    tags: { ...copyTags, "changeover:volume:/dev/xvda": "vol-root" },
    ebsBlockDevices: [
      { deviceName: "/dev/xvda", snapshotId: "id of snapshot-vol-root", deleteOnTermination: false },
    ],
  },
  copy: {
    ami: "id of image",
    instanceType: "m5.large",
    disableApiTermination: true,
    forceDestroy: true,
    ebsOptimized: false,
    monitoring: false,
    sourceDestCheck: true,
    hibernation: false,
    tags: { ...copyTags, "changeover:host-key": hostKey },
    vpcSecurityGroupIds: [],
    rootBlockDevice: { deleteOnTermination: false, tags: {} },
    ebsBlockDevices: [],
  },
};

const devices = { root: "/dev/sda1", data: "/dev/sdf", logs: "/dev/sdg" };

/** A list with something for one disk, and nothing for the others. */
const at = <T>(all: readonly Disk[], disk: Disk, one: T) => all.map((other) => (other === disk ? one : {}));

/** What a disk's block device is given, in the image and in the copy; there the root has an input of its own. */
function ofDisk(disk: Disk, inputs: Inputs): { image: Inputs; copy: Inputs } {
  return {
    image: { ebsBlockDevices: at(disks, disk, inputs) },
    copy:
      disk === "root" ? { rootBlockDevice: inputs } : { ebsBlockDevices: at(["data", "logs"], disk, inputs) },
  };
}

/** A property of a volume, which image and copy have alike. */
const volume = (disk: Disk, what: string, told: Volume, inputs: Inputs): Row => [
  `${disk}: ${what}`,
  { volumes: { [`vol-${disk}`]: told } },
  ofDisk(disk, inputs),
];

/** All that a volume has by where it is attached. */
function attached(disk: Disk, deleteOnTermination: boolean): Row[] {
  const device = devices[disk];
  const Ebs = { VolumeId: `vol-${disk}`, DeleteOnTermination: deleteOnTermination };
  const name = `changeover shop: ${old} ${device}`;
  const { image, copy } = ofDisk(disk, { deviceName: device, snapshotId: `id of snapshot-vol-${disk}` });
  return [
    [
      `${disk}: a snapshot, named and tagged`,
      { instance: { BlockDeviceMappings: at(disks, disk, { DeviceName: device, Ebs }) } },
      {
        [disk]: {
          volumeId: `vol-${disk}`,
          description: name,
          tags: { Name: name, "changeover:move": "shop" },
        },
      },
    ],
    [
      `${disk}: its device, of its snapshot`,
      {},
      // The copy's root is the image's.
      { image, ...(disk === "root" ? {} : { copy }) },
    ],
    [`${disk}: its volume, noted at the image`, {}, { image: { tags: noted(device, `vol-${disk}`) } }],
    [`${disk}: whether it goes with the instance`, {}, ofDisk(disk, { deleteOnTermination })],
  ];
}

const noted = (device: string, id: string) => ({ [`changeover:volume:${device}`]: id });

/** Tags of a volume are those of its snapshot, and of the copy's volume. */
const volumeTags = (disk: Disk, tags: Record<string, string>): Row => [
  `${disk}: tags`,
  {
    volumes: {
      [`vol-${disk}`]: { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    },
  },
  { [disk]: { tags }, copy: ofDisk(disk, { tags }).copy },
];

/** Every property, each as EC2 tells it and as the plugin is given it. None is what EC2 would give by itself. */
export const properties: Row[] = [
  // Where and what it is.
  ["type", { instance: { InstanceType: "t3.large" } }, { copy: { instanceType: "t3.large" } }],
  ["the image of its own disks", {}, { copy: { ami: "id of image" } }],
  ["subnet", { instance: { SubnetId: "subnet-1" } }, { copy: { subnetId: "subnet-1" } }],
  [
    "security groups",
    { instance: { NetworkInterfaces: [{ Groups: [{ GroupId: "sg-1" }, { GroupId: "sg-2" }] }] } },
    { copy: { vpcSecurityGroupIds: ["sg-1", "sg-2"] } },
  ],
  [
    "IPv6 addresses, as many",
    {
      instance: {
        NetworkInterfaces: [
          { Ipv6Addresses: [{ Ipv6Address: "2001:db8::1" }, { Ipv6Address: "2001:db8::2" }] },
        ],
      },
    },
    { copy: { ipv6AddressCount: 2 } },
  ],
  [
    "source and destination check",
    { instance: { SourceDestCheck: false } },
    { copy: { sourceDestCheck: false } },
  ],
  [
    "names in private DNS",
    { instance: { PrivateDnsNameOptions: { HostnameType: "resource-name" } } },
    { copy: { privateDnsNameOptions: { hostnameType: "resource-name" } } },
  ],
  [
    "names in private DNS, of IPv4",
    { instance: { PrivateDnsNameOptions: { EnableResourceNameDnsARecord: true } } },
    { copy: { privateDnsNameOptions: { enableResourceNameDnsARecord: true } } },
  ],
  [
    "names in private DNS, of IPv6",
    { instance: { PrivateDnsNameOptions: { EnableResourceNameDnsAAAARecord: true } } },
    { copy: { privateDnsNameOptions: { enableResourceNameDnsAaaaRecord: true } } },
  ],
  [
    "placement group",
    { instance: { Placement: { GroupName: "near" } } },
    { copy: { placementGroup: "near" } },
  ],
  [
    "partition of it",
    { instance: { Placement: { PartitionNumber: 3 } } },
    { copy: { placementPartitionNumber: 3 } },
  ],
  ["tenancy", { instance: { Placement: { Tenancy: "host" } } }, { copy: { tenancy: "host" } }],
  ["dedicated host", { instance: { Placement: { HostId: "h-1" } } }, { copy: { hostId: "h-1" } }],
  [
    "capacity reservation",
    {
      instance: {
        CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: "cr-1" } },
      },
    },
    {
      copy: {
        capacityReservationSpecification: { capacityReservationTarget: { capacityReservationId: "cr-1" } },
      },
    },
  ],

  // Who may do what.
  [
    "instance profile",
    { instance: { IamInstanceProfile: { Arn: "arn:aws:iam::123456789012:instance-profile/team/shop" } } },
    { copy: { iamInstanceProfile: "shop" } },
  ],
  ["key", { instance: { KeyName: "deploy" } }, { copy: { keyName: "deploy" } }],
  ["protected from being terminated, whether old is or not", {}, { copy: { disableApiTermination: true } }],
  ["which the way back may do", {}, { copy: { forceDestroy: true } }],
  ["protected from being stopped", { disableApiStop: true }, { copy: { disableApiStop: true } }],
  [
    "what its own shutdown does",
    { shutdown: "terminate" },
    { copy: { instanceInitiatedShutdownBehavior: "terminate" } },
  ],
  [
    "metadata: at all",
    { instance: { MetadataOptions: { HttpEndpoint: "disabled" } } },
    { copy: { metadataOptions: { httpEndpoint: "disabled" } } },
  ],
  [
    "metadata: tokens",
    { instance: { MetadataOptions: { HttpTokens: "required" } } },
    { copy: { metadataOptions: { httpTokens: "required" } } },
  ],
  [
    "metadata: hops",
    { instance: { MetadataOptions: { HttpPutResponseHopLimit: 2 } } },
    { copy: { metadataOptions: { httpPutResponseHopLimit: 2 } } },
  ],
  [
    "metadata: by IPv6",
    { instance: { MetadataOptions: { HttpProtocolIpv6: "enabled" } } },
    { copy: { metadataOptions: { httpProtocolIpv6: "enabled" } } },
  ],
  [
    "metadata: tags",
    { instance: { MetadataOptions: { InstanceMetadataTags: "enabled" } } },
    { copy: { metadataOptions: { instanceMetadataTags: "enabled" } } },
  ],

  // What it does.
  ["user data", { userData: "IyEvYmluL3No" }, { copy: { userDataBase64: "IyEvYmluL3No" } }],
  [
    "tags, but AWS's own",
    {
      instance: {
        Tags: [
          { Key: "Name", Value: "shop" },
          { Key: "aws:cloudformation:stack-name", Value: "theirs" },
        ],
      },
    },
    { copy: { tags: { Name: "shop" } } },
  ],
  [
    "tags by which it is found",
    {},
    { copy: { tags: { ...copyTags, "changeover:host-key": hostKey } }, image: { tags: copyTags } },
  ],
  ["optimized for EBS", { instance: { EbsOptimized: true } }, { copy: { ebsOptimized: true } }],
  ["monitoring", { instance: { Monitoring: { State: "enabled" } } }, { copy: { monitoring: true } }],
  [
    "hibernation",
    { instance: { HibernationOptions: { Configured: true } } },
    { copy: { hibernation: true } },
  ],
  [
    "enclaves",
    { instance: { EnclaveOptions: { Enabled: true } } },
    { copy: { enclaveOptions: { enabled: true } } },
  ],
  [
    "recovery",
    { instance: { MaintenanceOptions: { AutoRecovery: "disabled" } } },
    { copy: { maintenanceOptions: { autoRecovery: "disabled" } } },
  ],
  [
    "CPU credits",
    { type: { BurstablePerformanceSupported: true }, credits: "unlimited" },
    { copy: { creditSpecification: { cpuCredits: "unlimited" } } },
  ],
  [
    "CPU: cores",
    { type: { VCpuInfo: { DefaultCores: 2 } }, instance: { CpuOptions: { CoreCount: 1 } } },
    { copy: { cpuOptions: { coreCount: 1 } } },
  ],
  [
    "CPU: threads",
    { type: { VCpuInfo: { DefaultThreadsPerCore: 2 } }, instance: { CpuOptions: { ThreadsPerCore: 1 } } },
    { copy: { cpuOptions: { threadsPerCore: 1 } } },
  ],
  [
    "CPU: memory encrypted",
    { instance: { CpuOptions: { AmdSevSnp: "enabled" } } },
    { copy: { cpuOptions: { amdSevSnp: "enabled" } } },
  ],
  [
    "CPU: virtual machines in it",
    { instance: { CpuOptions: { NestedVirtualization: "enabled" } } },
    { copy: { cpuOptions: { nestedVirtualization: "enabled" } } },
  ],

  // How it boots.
  ["the image's name", {}, { image: { name: `changeover-shop-${old}` } }],
  ["what the image is", {}, { image: { description: `changeover shop: ${old}` } }],
  ["architecture", { instance: { Architecture: "arm64" } }, { image: { architecture: "arm64" } }],
  [
    "virtualization",
    { instance: { VirtualizationType: "paravirtual" } },
    { image: { virtualizationType: "paravirtual" } },
  ],
  [
    "root device",
    { instance: { RootDeviceName: devices.root } },
    { image: { rootDeviceName: devices.root } },
  ],
  ["boot mode", { instance: { BootMode: "uefi" } }, { image: { bootMode: "uefi" } }],
  ["ENA", { instance: { EnaSupport: true } }, { image: { enaSupport: true } }],
  ["SR-IOV", { instance: { SriovNetSupport: "simple" } }, { image: { sriovNetSupport: "simple" } }],
  ["TPM", { instance: { TpmSupport: "v2.0" } }, { image: { tpmSupport: "v2.0" } }],
  [
    "IMDS of the image",
    { instance: { ImageId: "ami-old" }, image: { ImdsSupport: "v2.0" } },
    { image: { imdsSupport: "v2.0" } },
  ],

  // Its disks.
  ...attached("root", true),
  volume("root", "size", { Size: 20 }, { volumeSize: 20 }),
  volume("root", "type", { VolumeType: "gp3" }, { volumeType: "gp3" }),
  volume("root", "operations", { Iops: 4000 }, { iops: 4000 }),
  volume("root", "throughput", { Throughput: 250 }, { throughput: 250 }),
  volumeTags("root", { Disk: "system" }),
  ...attached("data", false),
  volume("data", "size", { Size: 400 }, { volumeSize: 400 }),
  volume("data", "type", { VolumeType: "io2" }, { volumeType: "io2" }),
  volume("data", "operations", { Iops: 9000 }, { iops: 9000 }),
  volumeTags("data", { Disk: "data", Backup: "daily" }),
  ...attached("logs", true),
  volume("logs", "size", { Size: 40 }, { volumeSize: 40 }),
  volume(
    "logs",
    "type, whose speed is not to be chosen",
    { VolumeType: "gp2", Iops: 120 },
    { volumeType: "gp2" },
  ),
  volumeTags("logs", { Disk: "logs" }),
];

/** An instance that has them all; its network is as every one's. */
export const whole = properties.reduce((all, [, told]) => merge(all, told), {
  instance: {
    InstanceId: old,
    State: { Name: "running" },
    NetworkInterfaces: bare.instance!.NetworkInterfaces!,
  },
} as Told);
export const wholeGiven = properties.reduce((all, [, , given]) => merge(all, given), {} as Given);

/** What a bare instance may have beside, and what comes of that beside the rest. */
export const others: [...Row, settings?: object][] = [
  [
    "monitoring that is about to be",
    { instance: { Monitoring: { State: "pending" } } },
    { copy: { monitoring: true } },
  ],
  ["no monitoring", { instance: { Monitoring: { State: "disabled" } } }, {}],
  [
    "subnet and check that its interface alone tells",
    { instance: { NetworkInterfaces: [{ SubnetId: "subnet-2", SourceDestCheck: false }] } },
    { copy: { subnetId: "subnet-2", sourceDestCheck: false } },
  ],
  [
    "security groups that its interface does not tell",
    { instance: { SecurityGroups: [{ GroupId: "sg-3" }] } },
    { copy: { vpcSecurityGroupIds: ["sg-3"] } },
  ],
  [
    "a public address of the copy's own",
    {},
    { copy: { associatePublicIpAddress: true } },
    { reach: "public" },
  ],
  [
    "reservations of a group",
    {
      instance: {
        CapacityReservationSpecification: {
          CapacityReservationTarget: { CapacityReservationResourceGroupArn: "arn:aws:group" },
        },
      },
    },
    {
      copy: {
        capacityReservationSpecification: {
          capacityReservationTarget: { capacityReservationResourceGroupArn: "arn:aws:group" },
        },
      },
    },
  ],
  [
    "no reservation",
    { instance: { CapacityReservationSpecification: { CapacityReservationPreference: "none" } } },
    { copy: { capacityReservationSpecification: { capacityReservationPreference: "none" } } },
  ],
  [
    "any reservation",
    { instance: { CapacityReservationSpecification: {} } },
    { copy: { capacityReservationSpecification: { capacityReservationPreference: "open" } } },
  ],
  [
    "metadata of which nothing is told",
    { instance: { MetadataOptions: {} } },
    { copy: { metadataOptions: { httpEndpoint: "enabled" } } },
  ],
  [
    "names in private DNS without records",
    { instance: { PrivateDnsNameOptions: { HostnameType: "ip-name" } } },
    {
      copy: {
        privateDnsNameOptions: {
          hostnameType: "ip-name",
          enableResourceNameDnsARecord: false,
          enableResourceNameDnsAaaaRecord: false,
        },
      },
    },
  ],
  [
    "CPU options that the type has by itself",
    {
      type: { VCpuInfo: { DefaultCores: 2, DefaultThreadsPerCore: 2 } },
      instance: {
        CpuOptions: {
          CoreCount: 2,
          ThreadsPerCore: 2,
          AmdSevSnp: "disabled",
          NestedVirtualization: "disabled",
        },
      },
    },
    {},
  ],
  ["tenancy like all", { instance: { Placement: { Tenancy: "default", GroupName: "" } } }, {}],
  ["a shutdown that stops", { shutdown: "stop" }, {}],
  ["what is off", { disableApiStop: false, instance: { EnclaveOptions: { Enabled: false } } }, {}],
  ["an image that is gone", { instance: { ImageId: "ami-gone" } }, {}],
  [
    "io1, which has operations and no throughput",
    { volumes: { "vol-root": { VolumeType: "io1", Iops: 300, Throughput: 125 } } },
    {
      copy: { rootBlockDevice: { volumeType: "io1", iops: 300 } },
      image: { ebsBlockDevices: [{ volumeType: "io1", iops: 300 }] },
    },
  ],
];
