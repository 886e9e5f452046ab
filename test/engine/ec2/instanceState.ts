// What the API tells of an instance, by the names that programs know it by.
import { createHash } from "node:crypto";
import {
  DescribeInstanceAttributeCommand,
  DescribeInstanceCreditSpecificationsCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  type EC2Client,
  type Instance,
  type InstanceAttribute,
  type InstanceAttributeName,
  type Volume,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../awsProvider.ts";
import type { Wire } from "../commandInputs.ts";
import { arnOf, ifKnown, readTags, refusedBy } from "./client.ts";
import { typeInfo } from "./instanceInputs.ts";

/** The code of an instance that is not known, or not any more. */
export const notFound = "InvalidInstanceID.NotFound";

/** An instance with its owner, whatever its state. */
export async function findAny(
  client: EC2Client,
  id: string,
): Promise<(Instance & { owner: string }) | undefined> {
  const found = await ifKnown(client.send(new DescribeInstancesCommand({ InstanceIds: [id] })), notFound);
  const reservation = found?.Reservations?.[0];
  const instance = reservation?.Instances?.[0];
  return instance && { ...instance, owner: reservation?.OwnerId ?? "" };
}

/** An instance that is there: a terminated one is still told of for an hour, and is gone. */
export async function findInstance(client: EC2Client, id: string) {
  const found = await findAny(client, id);
  return found?.State?.Name === "terminated" ? undefined : found;
}

/** The volumes of an instance, each with the name of its device. */
export async function volumesOf(
  client: EC2Client,
  { BlockDeviceMappings = [], RootDeviceName }: Instance,
): Promise<{ root: Wire | undefined; others: Wire[] }> {
  const devices = new Map(BlockDeviceMappings.map((device) => [device.Ebs?.VolumeId ?? "", device]));
  if (devices.size === 0) return { root: undefined, others: [] };
  const { Volumes = [] } = await client.send(new DescribeVolumesCommand({ VolumeIds: [...devices.keys()] }));
  const isRoot = ({ VolumeId = "" }: Volume) => devices.get(VolumeId)?.DeviceName === RootDeviceName;
  const told = (volume: Volume): Wire => {
    const { DeviceName, Ebs } = devices.get(volume.VolumeId!)!;
    const tags = readTags(volume.Tags);
    return {
      deleteOnTermination: Ebs?.DeleteOnTermination,
      deviceName: DeviceName,
      encrypted: volume.Encrypted,
      iops: volume.Iops,
      kmsKeyId: volume.KmsKeyId,
      tags,
      tagsAll: tags,
      throughput: volume.Throughput,
      volumeId: volume.VolumeId,
      volumeSize: volume.Size,
      volumeType: volume.VolumeType,
    };
  };
  const root = Volumes.find(isRoot);
  return {
    root: root && told(root),
    others: Volumes.filter((volume) => !isRoot(volume)).map((volume) => ({
      ...told(volume),
      snapshotId: volume.SnapshotId,
    })),
  };
}

/** What only an attribute of its own tells. */
export async function attributeOf<Name extends keyof InstanceAttribute>(
  client: EC2Client,
  id: string,
  name: InstanceAttributeName,
  key: Name,
): Promise<InstanceAttribute[Name]> {
  const asked = new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: name });
  return (await client.send(asked))[key];
}

/** User data as the API has it, in base64; nothing where there is none. */
export async function userDataOf(client: EC2Client, id: string): Promise<string | undefined> {
  return (await attributeOf(client, id, "userData", "UserData"))?.Value;
}

/** What the data source tells of user data: its sum. */
export function sumOf(base64: string): string {
  return createHash("sha1").update(Buffer.from(base64, "base64")).digest("hex");
}

/** All that can be known of an instance; `known` is what the state has of it. */
export async function stateOf(
  aws: Aws,
  client: EC2Client,
  instance: Instance & { owner: string },
  known: Wire,
): Promise<Wire> {
  const id = instance.InstanceId!;
  const { BurstablePerformanceSupported } = await typeInfo(client, instance.InstanceType!);
  const groups = await groupsOf(client, instance);
  const shutdown = await attributeOf(
    client,
    id,
    "instanceInitiatedShutdownBehavior",
    "InstanceInitiatedShutdownBehavior",
  );
  const { root, others } = await volumesOf(client, instance);
  const stop = await attributeOf(client, id, "disableApiStop", "DisableApiStop");
  const termination = await attributeOf(client, id, "disableApiTermination", "DisableApiTermination");
  const userData = await userDataOf(client, id);
  const credits = BurstablePerformanceSupported ? await creditsOf(client, id) : undefined;
  return {
    ...placeOf(instance),
    ...networkOf(instance),
    ...optionsOf(instance),
    ...groups,
    ...userDataFields(userData, known),
    ...volumeTagsOf(known, root, others),
    ami: instance.ImageId,
    arn: arnOf(aws, instance.owner, `instance/${id}`),
    creditSpecification: credits,
    disableApiStop: stop?.Value,
    disableApiTermination: termination?.Value,
    ebsBlockDevices: others,
    ebsOptimized: instance.EbsOptimized,
    hibernation: instance.HibernationOptions?.Configured,
    iamInstanceProfile: instance.IamInstanceProfile?.Arn?.split("/").at(-1) ?? "",
    instanceInitiatedShutdownBehavior: shutdown?.Value,
    instanceState: instance.State?.Name,
    instanceType: instance.InstanceType,
    keyName: instance.KeyName,
    monitoring: instance.Monitoring && ["enabled", "pending"].includes(instance.Monitoring.State!),
    outpostArn: instance.OutpostArn,
    privateDns: instance.PrivateDnsName,
    privateIp: instance.PrivateIpAddress,
    publicDns: instance.PublicDnsName ?? "",
    publicIp: instance.PublicIpAddress ?? "",
    region: aws.region,
    rootBlockDevice: root,
    tags: readTags(instance.Tags),
    tagsAll: readTags(instance.Tags),
  };
}

function placeOf({ Placement: place = {} }: Instance): Wire {
  return {
    availabilityZone: place.AvailabilityZone,
    hostId: place.HostId,
    hostResourceGroupArn: place.HostResourceGroupArn,
    placementGroup: place.GroupName,
    placementGroupId: place.GroupId,
    placementPartitionNumber: place.PartitionNumber,
    tenancy: place.Tenancy,
  };
}

/** The interface that came with the instance; others are attached by others. */
export const primaryOf = ({ NetworkInterfaces = [] }: Instance) =>
  NetworkInterfaces.find(({ Attachment }) => Attachment?.DeviceIndex === 0);

function networkOf(instance: Instance): Wire {
  const primary = primaryOf(instance);
  const { PrivateIpAddresses = [], Ipv6Addresses = [] } = primary ?? {};
  return {
    associatePublicIpAddress: primary
      ? primary.Association !== undefined
      : instance.PublicIpAddress !== undefined,
    ipv6AddressCount: Ipv6Addresses.length,
    ipv6Addresses: Ipv6Addresses.map(({ Ipv6Address }) => Ipv6Address),
    primaryNetworkInterfaceId: primary?.NetworkInterfaceId ?? "",
    secondaryPrivateIps: PrivateIpAddresses.filter(({ Primary }) => !Primary).map(
      ({ PrivateIpAddress }) => PrivateIpAddress,
    ),
    sourceDestCheck: instance.SourceDestCheck ?? primary?.SourceDestCheck,
    subnetId: primary?.SubnetId ?? instance.SubnetId,
  };
}

function optionsOf(instance: Instance): Wire {
  const { CpuOptions: cpu, EnclaveOptions: enclave, MetadataOptions: metadata } = instance;
  const { MaintenanceOptions: maintenance, PrivateDnsNameOptions: names } = instance;
  const { CapacityReservationSpecification: capacity } = instance;
  const target = capacity?.CapacityReservationTarget;
  return {
    capacityReservationSpecification: capacity && {
      capacityReservationPreference: capacity.CapacityReservationPreference,
      capacityReservationTarget: target && {
        capacityReservationId: target.CapacityReservationId,
        capacityReservationResourceGroupArn: target.CapacityReservationResourceGroupArn,
      },
    },
    cpuOptions: cpu && {
      amdSevSnp: cpu.AmdSevSnp,
      coreCount: cpu.CoreCount,
      nestedVirtualization: cpu.NestedVirtualization,
      threadsPerCore: cpu.ThreadsPerCore,
    },
    enclaveOptions: enclave && { enabled: enclave.Enabled },
    maintenanceOptions: maintenance && { autoRecovery: maintenance.AutoRecovery },
    metadataOptions: metadata && {
      httpEndpoint: metadata.HttpEndpoint,
      httpProtocolIpv6: metadata.HttpProtocolIpv6,
      httpPutResponseHopLimit: metadata.HttpPutResponseHopLimit,
      httpTokens: metadata.HttpTokens,
      instanceMetadataTags: metadata.InstanceMetadataTags,
    },
    privateDnsNameOptions: names && {
      enableResourceNameDnsARecord: names.EnableResourceNameDnsARecord,
      enableResourceNameDnsAaaaRecord: names.EnableResourceNameDnsAAAARecord,
      hostnameType: names.HostnameType,
    },
  };
}

/** Names of groups mean something in a default VPC alone. */
async function groupsOf(
  client: EC2Client,
  { SecurityGroups = [], SubnetId, VpcId }: Instance,
): Promise<Wire> {
  const inDefault = VpcId
    ? (await client.send(new DescribeVpcsCommand({ VpcIds: [VpcId] }))).Vpcs?.[0]?.IsDefault
    : !SubnetId;
  return {
    securityGroups: inDefault ? SecurityGroups.map(({ GroupName }) => GroupName) : [],
    vpcSecurityGroupIds: SubnetId ? SecurityGroups.map(({ GroupId }) => GroupId) : [],
  };
}

/** In clear, unless the program has given it in base64. */
function userDataFields(base64: string | undefined, known: Wire): Wire {
  if (!base64) return known["userDataBase64"] ? { userDataBase64: "" } : { userData: "" };
  if (known["userDataBase64"]) return { userDataBase64: base64 };
  return { userData: Buffer.from(base64, "base64").toString() };
}

/** Tags of all volumes are looked after only where the program says such. */
function volumeTagsOf(known: Wire, root: Wire | undefined, others: Wire[]): Wire {
  if (known["volumeTags"] === undefined) return {};
  return { volumeTags: Object.assign({}, ...[root, ...others].map((volume) => volume?.["tags"])) as Wire };
}

/** How CPU credits are paid; some parts of AWS have no such thing. */
export async function creditsOf(client: EC2Client, id: string): Promise<Wire | undefined> {
  const asked = new DescribeInstanceCreditSpecificationsCommand({ InstanceIds: [id] });
  try {
    const found = (await client.send(asked)).InstanceCreditSpecifications?.[0];
    return found && { cpuCredits: found.CpuCredits };
  } catch (error) {
    if (refusedBy(error, ["UnsupportedOperation"])) return undefined;
    throw error;
  }
}
