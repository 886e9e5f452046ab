// What aws:ec2/instance:Instance may be told, and the RunInstances which the provider makes of it.
import {
  type BlockDeviceMapping,
  DescribeInstanceTypesCommand,
  type EbsBlockDevice,
  type EC2Client,
  type InstanceNetworkInterfaceSpecification,
  type InstanceTypeInfo,
  type RunInstancesRequest,
} from "@aws-sdk/client-ec2";
import type { InstanceArgs } from "@pulumi/aws/ec2/instance.js";
import type { Unwrap } from "@pulumi/pulumi";
import type { Failure } from "../commandInputs.ts";
import * as schema from "../schema.ts";
import { tagsOf } from "./client.ts";
import { findImage } from "./image.ts";

/** A program's inputs, as they come over the wire. */
export type InstanceInputs = Unwrap<Omit<InstanceArgs, "iamInstanceProfile">> & {
  iamInstanceProfile?: string;
};

/** Names of AWS's documentation which nobody here has needed: told so, before anything is made without them. */
type Unsupported =
  | "getPasswordData"
  | "instanceMarketOptions"
  | "launchTemplate"
  | "networkInterfaces"
  | "primaryNetworkInterface"
  | "region"
  | "secondaryNetworkInterfaces";

const { text, number, flag, texts, tags, object, objects, or } = schema;

/** Every input; a new one of `@pulumi/aws` does not compile until it stands here or above. */
export const fields = {
  ami: text("computed", "replaces"),
  associatePublicIpAddress: flag("computed", "replaces"),
  availabilityZone: text("computed", "replaces"),
  capacityReservationSpecification: object(
    {
      capacityReservationPreference: text(),
      capacityReservationTarget: object({
        capacityReservationId: text(),
        capacityReservationResourceGroupArn: text(),
      }),
    },
    "computed",
  ),
  cpuOptions: object(
    {
      amdSevSnp: text("computed", "replaces"),
      coreCount: number("computed", "replaces"),
      nestedVirtualization: text("computed", "replaces"),
      threadsPerCore: number("computed", "replaces"),
    },
    "computed",
  ),
  // Taken away it stays what it is: the provider only stops to look after it.
  creditSpecification: object({ cpuCredits: text("computed") }, "computed"),
  disableApiStop: flag("computed"),
  disableApiTermination: flag("computed"),
  ebsBlockDevices: objects(
    "deviceName",
    {
      deleteOnTermination: or(true, flag("replaces")),
      deviceName: text("required", "replaces"),
      encrypted: flag("computed", "replaces"),
      iops: number("computed", "replaces"),
      kmsKeyId: text("computed", "replaces"),
      snapshotId: text("computed", "replaces"),
      tags: tags(),
      throughput: number("computed", "replaces"),
      volumeSize: number("computed", "replaces"),
      volumeType: text("computed", "replaces"),
    },
    "computed",
  ),
  ebsOptimized: flag("computed", "replaces"),
  enablePrimaryIpv6: flag("computed", "replaces"),
  enclaveOptions: object({ enabled: flag("computed", "replaces") }, "computed"),
  ephemeralBlockDevices: objects(
    "deviceName",
    { deviceName: text("required"), noDevice: flag(), virtualName: text() },
    "computed",
    "replaces",
  ),
  forceDestroy: or(false, flag()),
  hibernation: flag("replaces"),
  hostId: text("computed", "replaces"),
  hostResourceGroupArn: text("computed"),
  iamInstanceProfile: text("computed"),
  instanceInitiatedShutdownBehavior: text("computed"),
  instanceType: text("computed"),
  ipv6AddressCount: number("computed", "replaces"),
  ipv6Addresses: texts("computed", "replaces"),
  keyName: text("computed", "replaces"),
  maintenanceOptions: object({ autoRecovery: text("computed") }, "computed"),
  metadataOptions: object(
    {
      httpEndpoint: text("computed"),
      httpProtocolIpv6: text("computed"),
      httpPutResponseHopLimit: number("computed"),
      httpTokens: text("computed"),
      instanceMetadataTags: text("computed"),
    },
    "computed",
  ),
  monitoring: flag("computed"),
  placementGroup: text("computed", "replaces"),
  placementGroupId: text("computed", "replaces"),
  placementPartitionNumber: number("computed", "replaces"),
  privateDnsNameOptions: object(
    {
      enableResourceNameDnsARecord: flag("computed"),
      enableResourceNameDnsAaaaRecord: flag("computed"),
      hostnameType: text("computed"),
    },
    "computed",
  ),
  privateIp: text("computed", "replaces"),
  rootBlockDevice: object(
    {
      deleteOnTermination: or(true, flag()),
      encrypted: flag("computed", "replaces"),
      iops: number("computed"),
      kmsKeyId: text("computed", "replaces"),
      tags: tags(),
      throughput: number("computed"),
      volumeSize: number("computed"),
      volumeType: text("computed"),
    },
    "computed",
  ),
  secondaryPrivateIps: texts("computed"),
  securityGroups: texts("computed", "replaces"),
  sourceDestCheck: or(true, flag()),
  subnetId: text("computed", "replaces"),
  tags: tags(),
  tenancy: text("computed", "replaces"),
  userData: text("computed"),
  userDataBase64: text("computed"),
  userDataReplaceOnChange: or(false, flag()),
  volumeTags: tags(),
  vpcSecurityGroupIds: texts("computed"),
} satisfies Record<Exclude<keyof InstanceArgs, Unsupported>, schema.Field>;

const conflicts = [
  ["userData", "userDataBase64"],
  ["placementGroup", "placementGroupId"],
  ["placementGroup", "hostResourceGroupArn"],
  ["ipv6AddressCount", "ipv6Addresses"],
] as const;

/** What is wrong with an instance's inputs. */
export function checkInstance(inputs: Readonly<Record<string, unknown>>): Failure[] {
  const { rootBlockDevice, ebsBlockDevices = [], volumeTags, metadataOptions } = inputs as InstanceInputs;
  const failures = schema.unfit(fields, inputs);
  if (failures.length > 0) return failures;
  const lacking = (["ami", "instanceType"] as const).filter((property) => inputs[property] === undefined);
  const both = conflicts.filter((names) => names.every((name) => inputs[name] !== undefined));
  const tagged = rootBlockDevice?.tags ?? [...ebsBlockDevices].find((device) => device.tags);
  return [
    ...lacking.map((property) => ({
      property,
      reason: `one of \`${property}\`, \`launch_template\` must be specified`,
    })),
    ...both.map(([property, other]) => ({ property, reason: `"${property}": conflicts with ${other}` })),
    ...(volumeTags && tagged
      ? [{ property: "volumeTags", reason: '"volumeTags": conflicts with tags of a block device' }]
      : []),
    ...(metadataOptions && metadataOptions.httpEndpoint === undefined
      ? [
          {
            property: "metadataOptions",
            reason:
              "httpEndpoint should be said: the provider sends no other of the metadata options without it",
          },
        ]
      : []),
  ];
}

/** What is known of an instance type, or nothing. */
export async function typeInfo(client: EC2Client, name: string): Promise<InstanceTypeInfo> {
  const asked = new DescribeInstanceTypesCommand({ InstanceTypes: [name as "t3.micro"] });
  const { InstanceTypes: [found] = [] } = await client.send(asked);
  if (!found) throw new Error(`reading EC2 Instance Type (${name}): couldn't find resource`);
  return found;
}

/** The whole request. What it needs to know of the image and the type is asked before. */
export async function requestOf(client: EC2Client, inputs: InstanceInputs): Promise<RunInstancesRequest> {
  const { capacityReservationSpecification: capacity, cpuOptions: cpu, metadataOptions: metadata } = inputs;
  const userData = inputs.userData ? Buffer.from(inputs.userData).toString("base64") : inputs.userDataBase64;
  const credits = await creditsOf(client, inputs);
  const mappings = [...(await mappingsOf(client, inputs))];
  return {
    MinCount: 1,
    MaxCount: 1,
    ImageId: inputs.ami!,
    InstanceType: inputs.instanceType as "t3.micro",
    DisableApiTermination: inputs.disableApiTermination ?? false,
    EbsOptimized: inputs.ebsOptimized ?? false,
    Monitoring: { Enabled: inputs.monitoring ?? false },
    HibernationOptions: { Configured: inputs.hibernation ?? false },
    Placement: placementOf(inputs),
    TagSpecifications: [
      ...(inputs.tags ? [{ ResourceType: "instance" as const, Tags: tagsOf(inputs.tags) }] : []),
      ...(inputs.volumeTags ? [{ ResourceType: "volume" as const, Tags: tagsOf(inputs.volumeTags) }] : []),
    ],
    ...networkOf(inputs),
    ...(inputs.disableApiStop ? { DisableApiStop: true } : {}),
    ...(inputs.iamInstanceProfile ? { IamInstanceProfile: { Name: inputs.iamInstanceProfile } } : {}),
    ...(inputs.keyName ? { KeyName: inputs.keyName } : {}),
    ...(inputs.enclaveOptions ? { EnclaveOptions: { Enabled: inputs.enclaveOptions.enabled ?? false } } : {}),
    ...(inputs.instanceInitiatedShutdownBehavior
      ? { InstanceInitiatedShutdownBehavior: inputs.instanceInitiatedShutdownBehavior as "stop" }
      : {}),
    ...(userData ? { UserData: userData } : {}),
    ...(credits ? { CreditSpecification: { CpuCredits: credits } } : {}),
    ...(mappings.length > 0 ? { BlockDeviceMappings: mappings } : {}),
    ...(capacity ? { CapacityReservationSpecification: capacityOf(capacity) } : {}),
    ...(cpu
      ? {
          CpuOptions: {
            ...(cpu.amdSevSnp ? { AmdSevSnp: cpu.amdSevSnp as "enabled" } : {}),
            ...(cpu.nestedVirtualization
              ? { NestedVirtualization: cpu.nestedVirtualization as "enabled" }
              : {}),
            ...(cpu.coreCount ? { CoreCount: cpu.coreCount, ThreadsPerCore: cpu.threadsPerCore ?? 0 } : {}),
          },
        }
      : {}),
    ...(inputs.maintenanceOptions
      ? { MaintenanceOptions: { AutoRecovery: inputs.maintenanceOptions.autoRecovery as "default" } }
      : {}),
    ...(inputs.privateDnsNameOptions
      ? { PrivateDnsNameOptions: dnsNamesOf(inputs.privateDnsNameOptions) }
      : {}),
    ...(metadata ? { MetadataOptions: metadataOf(metadata) } : {}),
  };
}

/** The options of the metadata service: with the service off, the API takes no other. */
export function metadataOf(options: NonNullable<InstanceInputs["metadataOptions"]>) {
  const { httpEndpoint, httpProtocolIpv6, httpPutResponseHopLimit, httpTokens, instanceMetadataTags } =
    options;
  return {
    HttpEndpoint: httpEndpoint as "enabled",
    ...(httpEndpoint === "enabled"
      ? {
          ...(httpProtocolIpv6 ? { HttpProtocolIpv6: httpProtocolIpv6 as "enabled" } : {}),
          ...(httpTokens ? { HttpTokens: httpTokens as "required" } : {}),
          ...(httpPutResponseHopLimit ? { HttpPutResponseHopLimit: httpPutResponseHopLimit } : {}),
          ...(instanceMetadataTags ? { InstanceMetadataTags: instanceMetadataTags as "enabled" } : {}),
        }
      : {}),
  };
}

/** Which reserved capacity an instance may take. */
export function capacityOf(given: NonNullable<InstanceInputs["capacityReservationSpecification"]>) {
  const { capacityReservationPreference: preference, capacityReservationTarget: target } = given;
  return {
    ...(preference ? { CapacityReservationPreference: preference as "open" } : {}),
    ...(target
      ? {
          CapacityReservationTarget: {
            ...(target.capacityReservationId ? { CapacityReservationId: target.capacityReservationId } : {}),
            ...(target.capacityReservationResourceGroupArn
              ? { CapacityReservationResourceGroupArn: target.capacityReservationResourceGroupArn }
              : {}),
          },
        }
      : {}),
  };
}

function dnsNamesOf(options: NonNullable<InstanceInputs["privateDnsNameOptions"]>) {
  return {
    EnableResourceNameDnsAAAARecord: options.enableResourceNameDnsAaaaRecord ?? false,
    EnableResourceNameDnsARecord: options.enableResourceNameDnsARecord ?? false,
    ...(options.hostnameType ? { HostnameType: options.hostnameType as "ip-name" } : {}),
  };
}

function placementOf(inputs: InstanceInputs) {
  return {
    AvailabilityZone: inputs.availabilityZone ?? "",
    ...(inputs.placementPartitionNumber ? { PartitionNumber: inputs.placementPartitionNumber } : {}),
    ...(inputs.placementGroup ? { GroupName: inputs.placementGroup } : {}),
    ...(inputs.placementGroupId ? { GroupId: inputs.placementGroupId } : {}),
    ...(inputs.tenancy ? { Tenancy: inputs.tenancy as "default" } : {}),
    ...(inputs.hostId ? { HostId: inputs.hostId } : {}),
    ...(inputs.hostResourceGroupArn ? { HostResourceGroupArn: inputs.hostResourceGroupArn } : {}),
  };
}

/** An address that is chosen is one of a network interface; without one, subnet and groups stand in the request itself. */
function networkOf(inputs: InstanceInputs): Partial<RunInstancesRequest> {
  const {
    subnetId,
    securityGroups = [],
    vpcSecurityGroupIds = [],
    associatePublicIpAddress,
    privateIp,
  } = inputs;
  const { secondaryPrivateIps = [], ipv6AddressCount, ipv6Addresses, enablePrimaryIpv6 } = inputs;
  const addresses6 = {
    ...(ipv6AddressCount ? { Ipv6AddressCount: ipv6AddressCount } : {}),
    ...(ipv6Addresses ? { Ipv6Addresses: ipv6Addresses.map((Ipv6Address) => ({ Ipv6Address })) } : {}),
  };
  const chosen = associatePublicIpAddress !== undefined || privateIp || secondaryPrivateIps.length > 0;
  if (subnetId && chosen) {
    const card: InstanceNetworkInterfaceSpecification = {
      DeviceIndex: 0,
      SubnetId: subnetId,
      Groups: [...securityGroups, ...vpcSecurityGroupIds],
      ...(associatePublicIpAddress === undefined
        ? {}
        : { AssociatePublicIpAddress: associatePublicIpAddress }),
      ...(privateIp ? { PrivateIpAddress: privateIp } : {}),
      ...(secondaryPrivateIps.length > 0
        ? { PrivateIpAddresses: secondaryPrivateIps.map((PrivateIpAddress) => ({ PrivateIpAddress })) }
        : {}),
      ...addresses6,
      ...(enablePrimaryIpv6 === undefined ? {} : { PrimaryIpv6: enablePrimaryIpv6 }),
    };
    return { NetworkInterfaces: [card] };
  }
  const ids = [...(subnetId ? securityGroups : []), ...vpcSecurityGroupIds];
  return {
    ...(subnetId ? { SubnetId: subnetId } : {}),
    ...(privateIp ? { PrivateIpAddress: privateIp } : {}),
    ...(ids.length > 0 ? { SecurityGroupIds: ids } : {}),
    ...(!subnetId && securityGroups.length > 0 ? { SecurityGroups: [...securityGroups] } : {}),
    ...addresses6,
    ...(enablePrimaryIpv6 === undefined ? {} : { EnablePrimaryIpv6: enablePrimaryIpv6 }),
  };
}

async function creditsOf(client: EC2Client, inputs: InstanceInputs): Promise<string | undefined> {
  const { instanceType = "", creditSpecification } = inputs;
  const usual = instanceType.startsWith("t3") ? "unlimited" : undefined;
  if (!creditSpecification) return usual;
  const { BurstablePerformanceSupported } = await typeInfo(client, instanceType);
  // The provider only warns; the API refuses credits for types that have none.
  return BurstablePerformanceSupported ? (creditSpecification.cpuCredits ?? usual) : usual;
}

type Volume = Omit<NonNullable<InstanceInputs["rootBlockDevice"]>, "tags">;

async function mappingsOf(client: EC2Client, inputs: InstanceInputs): Promise<BlockDeviceMapping[]> {
  const { ebsBlockDevices = [], ephemeralBlockDevices = [], rootBlockDevice, ami = "" } = inputs;
  return [
    ...ebsBlockDevices.map((device) => ({
      DeviceName: device.deviceName,
      Ebs: {
        ...volumeOf(device, "ebs_block_device"),
        ...(device.snapshotId ? { SnapshotId: device.snapshotId } : {}),
      },
    })),
    ...ephemeralBlockDevices.map(({ deviceName, noDevice, virtualName }) => {
      if (!noDevice && !virtualName)
        throw new Error("virtual_name cannot be empty when no_device is false or undefined.");
      return { DeviceName: deviceName, ...(noDevice ? { NoDevice: "" } : { VirtualName: virtualName! }) };
    }),
    ...(rootBlockDevice
      ? [{ DeviceName: await rootName(client, ami), Ebs: volumeOf(rootBlockDevice, "root_block_device") }]
      : []),
  ];
}

function volumeOf(volume: Volume, block: string): EbsBlockDevice {
  const { volumeType = "", iops, throughput } = volume;
  checkVolume(
    `creating resource: % attribute not supported for ${block} with volume_type ${volumeType}`,
    volume,
  );
  return {
    DeleteOnTermination: volume.deleteOnTermination ?? true,
    ...(volume.encrypted ? { Encrypted: true } : {}),
    ...(volume.kmsKeyId ? { KmsKeyId: volume.kmsKeyId } : {}),
    ...(volume.volumeSize ? { VolumeSize: volume.volumeSize } : {}),
    ...(volumeType
      ? {
          VolumeType: volumeType as "gp3",
          ...(iops ? { Iops: iops } : {}),
          ...(throughput ? { Throughput: throughput } : {}),
        }
      : {}),
  };
}

/** What a type of volumes does not have is an error, where it says which type. */
export function checkVolume(said: string, { volumeType = "", iops, throughput }: Volume): void {
  if (!volumeType) return;
  if (iops && !["io1", "io2", "gp3"].includes(volumeType)) throw new Error(said.replace("%", "iops"));
  if (throughput && volumeType !== "gp3") throw new Error(said.replace("%", "throughput"));
}

/** The root's device, which some images write otherwise than their own mapping. */
async function rootName(client: EC2Client, ami: string): Promise<string> {
  const image = await findImage(client, ami);
  if (!image) throw new Error(`finding Root Device Name for AMI (${ami}): couldn't find resource`);
  if (image.RootDeviceType === "instance-store") throw new Error(`Expected 1 AMI for ID: ${ami}, got none`);
  const names = (image.BlockDeviceMappings ?? []).map(({ DeviceName }) => DeviceName);
  const name = names.includes(image.RootDeviceName)
    ? image.RootDeviceName
    : (names[0] ?? image.RootDeviceName);
  if (!name) throw new Error(`finding Root Device Name for AMI (${ami})`);
  return name;
}
