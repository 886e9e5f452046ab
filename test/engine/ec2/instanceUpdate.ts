// What the provider does to an instance that is there, in its order: some changes need it stopped, and it starts it again.
import {
  AssignPrivateIpAddressesCommand,
  AssociateIamInstanceProfileCommand,
  DescribeIamInstanceProfileAssociationsCommand,
  DescribeVolumesModificationsCommand,
  DisassociateIamInstanceProfileCommand,
  type EC2Client,
  ModifyInstanceAttributeCommand,
  type ModifyInstanceAttributeRequest,
  ModifyInstanceCapacityReservationAttributesCommand,
  ModifyInstanceCreditSpecificationCommand,
  ModifyInstanceMaintenanceOptionsCommand,
  ModifyInstanceMetadataOptionsCommand,
  ModifyNetworkInterfaceAttributeCommand,
  ModifyPrivateDnsNameOptionsCommand,
  ModifyVolumeCommand,
  MonitorInstancesCommand,
  ReplaceIamInstanceProfileAssociationCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  UnassignPrivateIpAddressesCommand,
  UnmonitorInstancesCommand,
} from "@aws-sdk/client-ec2";
import { again, doing, refusedBy, until, updateTags } from "./client.ts";
import { capacityOf, checkVolume, type InstanceInputs, metadataOf } from "./instanceInputs.ts";
import { findAny, findInstance, primaryOf, volumesOf } from "./instanceState.ts";

const updateSeconds = 600;
const iamSeconds = 120;
const propagationSeconds = 300;

type Modification = Omit<ModifyInstanceAttributeRequest, "InstanceId">;

const modify = (client: EC2Client, id: string, what: Modification) =>
  client.send(new ModifyInstanceAttributeCommand({ InstanceId: id, ...what }));

/** Lifts or sets a protection; spot instances have none. */
export async function protect(
  client: EC2Client,
  id: string,
  attribute: "DisableApiStop" | "DisableApiTermination",
  Value: boolean,
): Promise<void> {
  await doing(`modifying EC2 Instance (${id}) ${attribute} attribute`, () =>
    modify(client, id, { [attribute]: { Value } }),
  ).catch((error: Error) => {
    if (!refusedBy(error.cause, ["UnsupportedOperation"], "not supported for spot instances")) throw error;
  });
}

/** What RunInstances does not take, and what the provider says twice. */
export async function applyToNew(client: EC2Client, id: string, inputs: InstanceInputs): Promise<void> {
  const { sourceDestCheck, instanceInitiatedShutdownBehavior, monitoring } = inputs;
  await doing(`updating EC2 Instance (${id})`, async () => {
    if (sourceDestCheck === false) await modify(client, id, { SourceDestCheck: { Value: false } });
    if (instanceInitiatedShutdownBehavior) await shutDownBy(client, id, instanceInitiatedShutdownBehavior);
    if (monitoring) await monitor(client, id, true);
  });
}

/** Applies what changed, by paths, in the provider's order. */
export async function applyChanges(
  client: EC2Client,
  id: string,
  inputs: InstanceInputs,
  olds: InstanceInputs,
  changed: readonly string[],
): Promise<void> {
  const tops = new Set(changed.map((path) => path.split(/[.[]/)[0]!));
  if (tops.has("ebsBlockDevices"))
    throw new Error(`updating EC2 Instance (${id}): the provider does not change tags of ebsBlockDevices`);
  const on = async (name: keyof InstanceInputs, work: () => Promise<unknown>) => {
    if (tops.has(name)) await work();
  };
  await doing(`updating EC2 Instance (${id})`, async () => {
    await on("tags", () => updateTags(client, id, olds.tags, inputs.tags));
    await on("volumeTags", () => tagVolumes(client, id, inputs, olds));
    await on("iamInstanceProfile", () => changeProfile(client, id, inputs.iamInstanceProfile));
    await on("sourceDestCheck", () =>
      modify(client, id, { SourceDestCheck: { Value: inputs.sourceDestCheck ?? true } }),
    );
    if (tops.has("secondaryPrivateIps") || tops.has("vpcSecurityGroupIds"))
      await changeInterface(client, id, inputs, olds, tops);
    await on("instanceType", () =>
      modifyStopped(client, id, { InstanceType: { Value: inputs.instanceType! } }),
    );
    await on("userData", () =>
      modifyStopped(client, id, { UserData: { Value: Buffer.from(inputs.userData ?? "") } }),
    );
    await on("userDataBase64", () =>
      modifyStopped(client, id, { UserData: { Value: Buffer.from(inputs.userDataBase64 ?? "", "base64") } }),
    );
    await on("disableApiStop", () => protect(client, id, "DisableApiStop", inputs.disableApiStop!));
    await on("disableApiTermination", () =>
      protect(client, id, "DisableApiTermination", inputs.disableApiTermination!),
    );
    await on("instanceInitiatedShutdownBehavior", () =>
      shutDownBy(client, id, inputs.instanceInitiatedShutdownBehavior!),
    );
    await on("maintenanceOptions", () => maintain(client, id, inputs.maintenanceOptions!.autoRecovery!));
    await on("monitoring", () => monitor(client, id, inputs.monitoring!));
    await on("creditSpecification", () => pay(client, id, inputs.creditSpecification!.cpuCredits!));
    await on("metadataOptions", () => changeMetadata(client, id, inputs.metadataOptions!));
    await on("rootBlockDevice", () => changeRoot(client, id, inputs, olds, changed));
    await on("capacityReservationSpecification", () =>
      reserve(client, id, inputs.capacityReservationSpecification!),
    );
    await on("privateDnsNameOptions", () => nameBy(client, id, inputs.privateDnsNameOptions!));
    if (tops.has("hostResourceGroupArn"))
      throw new Error("the provider does not change hostResourceGroupArn of an instance that is there");
  });
}

const shutDownBy = (client: EC2Client, id: string, Value: string) =>
  modify(client, id, { InstanceInitiatedShutdownBehavior: { Value } });

const monitor = (client: EC2Client, id: string, enabled: boolean) =>
  enabled
    ? client.send(new MonitorInstancesCommand({ InstanceIds: [id] }))
    : client.send(new UnmonitorInstancesCommand({ InstanceIds: [id] }));

const pay = (client: EC2Client, InstanceId: string, CpuCredits: string) =>
  client.send(
    new ModifyInstanceCreditSpecificationCommand({
      InstanceCreditSpecifications: [{ InstanceId, CpuCredits }],
    }),
  );

async function tagVolumes(client: EC2Client, id: string, inputs: InstanceInputs, olds: InstanceInputs) {
  for (const { Ebs } of (await there(client, id)).BlockDeviceMappings ?? [])
    await updateTags(client, Ebs!.VolumeId!, olds.volumeTags, inputs.volumeTags);
}

async function there(client: EC2Client, id: string) {
  const found = await findInstance(client, id);
  if (!found) throw new Error(`reading EC2 Instance (${id}): couldn't find resource`);
  return found;
}

/** Waits until what is told of the instance is as it was asked for. */
async function untilTold(
  client: EC2Client,
  id: string,
  what: string,
  done: (instance: Awaited<ReturnType<typeof there>>) => boolean,
): Promise<void> {
  await until({
    what: `waiting for EC2 Instance (${id}) ${what} update`,
    seconds: updateSeconds,
    look: () => findInstance(client, id),
    state: (instance) => (done(instance) ? "applied" : "pending"),
    pending: ["pending"],
    target: ["applied"],
  });
}

async function changeProfile(client: EC2Client, id: string, name: string | undefined): Promise<void> {
  const { IamInstanceProfileAssociations: [association] = [] } = await client.send(
    new DescribeIamInstanceProfileAssociationsCommand({ Filters: [{ Name: "instance-id", Values: [id] }] }),
  );
  const AssociationId = association?.AssociationId ?? "";
  const leave = () => client.send(new DisassociateIamInstanceProfileCommand({ AssociationId }));
  const patiently = (work: () => Promise<unknown>) =>
    again(iamSeconds, ["InvalidParameterValue"], ["Invalid IAM Instance Profile"], work);
  const IamInstanceProfile = { Name: name ?? "" };
  const join = () =>
    patiently(() =>
      client.send(new AssociateIamInstanceProfileCommand({ InstanceId: id, IamInstanceProfile })),
    );
  if (!name) {
    if (association) await leave();
  } else if (!association) {
    await join();
  } else if (["stopped", "stopping", "shutting-down"].includes((await there(client, id)).State!.Name!)) {
    await leave();
    await join();
  } else {
    await patiently(() =>
      client.send(new ReplaceIamInstanceProfileAssociationCommand({ AssociationId, IamInstanceProfile })),
    );
  }
  await untilTold(
    client,
    id,
    "IAM Instance Profile",
    ({ IamInstanceProfile: told }) => (told?.Arn?.split("/").at(-1) ?? "") === (name ?? ""),
  );
}

async function changeInterface(
  client: EC2Client,
  id: string,
  inputs: InstanceInputs,
  olds: InstanceInputs,
  tops: ReadonlySet<string>,
): Promise<void> {
  const NetworkInterfaceId = primaryOf(await there(client, id))?.NetworkInterfaceId;
  if (!NetworkInterfaceId) throw new Error(`${id} does not contain a primary network interface`);
  const [before, after] = [olds.secondaryPrivateIps ?? [], inputs.secondaryPrivateIps ?? []];
  const gone = before.filter((address) => !after.includes(address));
  const fresh = after.filter((address) => !before.includes(address));
  if (tops.has("secondaryPrivateIps") && gone.length > 0)
    await client.send(
      new UnassignPrivateIpAddressesCommand({ NetworkInterfaceId, PrivateIpAddresses: gone }),
    );
  if (tops.has("secondaryPrivateIps") && fresh.length > 0)
    await client.send(new AssignPrivateIpAddressesCommand({ NetworkInterfaceId, PrivateIpAddresses: fresh }));
  if (!tops.has("vpcSecurityGroupIds")) return;
  const Groups = [...(inputs.vpcSecurityGroupIds ?? [])];
  if (Groups.length === 0)
    throw new Error("VPC-based instances require at least one security group to be attached.");
  // On the interface: an instance with several refuses it on itself.
  await client.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Groups }));
}

/** One attribute at a time, on a stopped instance: users of it wait meanwhile. */
async function modifyStopped(client: EC2Client, id: string, what: Modification): Promise<void> {
  await stop(client, id);
  await modify(client, id, what);
  await start(client, id);
}

async function stop(client: EC2Client, id: string): Promise<void> {
  await doing(`stopping EC2 Instance (${id})`, () =>
    client.send(new StopInstancesCommand({ InstanceIds: [id], Force: false })),
  );
  await reach(client, id, "stop", ["pending", "running", "shutting-down", "stopping"], "stopped");
}

async function start(client: EC2Client, id: string): Promise<void> {
  await doing(`starting EC2 Instance (${id})`, () =>
    again(
      propagationSeconds,
      ["InvalidParameterValue"],
      ["LaunchPlan instance type does not match attribute value"],
      () => client.send(new StartInstancesCommand({ InstanceIds: [id] })),
    ),
  );
  await reach(client, id, "start", ["pending", "stopped"], "running");
}

async function reach(client: EC2Client, id: string, what: string, pending: string[], state: string) {
  await until({
    what: `waiting for EC2 Instance (${id}) ${what}`,
    seconds: updateSeconds,
    look: () => findAny(client, id),
    state: ({ State }) => State?.Name ?? "",
    pending,
    target: [state],
    reason: ({ StateReason }) => StateReason?.Message,
  });
}

async function maintain(client: EC2Client, id: string, recovery: string): Promise<void> {
  const AutoRecovery = recovery as "default";
  await client.send(new ModifyInstanceMaintenanceOptionsCommand({ InstanceId: id, AutoRecovery }));
  await untilTold(
    client,
    id,
    "maintenance options",
    ({ MaintenanceOptions }) => MaintenanceOptions?.AutoRecovery === AutoRecovery,
  );
}

async function changeMetadata(
  client: EC2Client,
  id: string,
  options: NonNullable<InstanceInputs["metadataOptions"]>,
): Promise<void> {
  await client.send(new ModifyInstanceMetadataOptionsCommand({ InstanceId: id, ...metadataOf(options) }));
  await untilTold(
    client,
    id,
    "metadata options",
    ({ MetadataOptions }) => MetadataOptions?.State === "applied",
  );
}

async function changeRoot(
  client: EC2Client,
  id: string,
  { rootBlockDevice: root = {} }: InstanceInputs,
  { rootBlockDevice: before = {} }: InstanceInputs,
  changed: readonly string[],
): Promise<void> {
  const has = (name: string) => changed.includes(`rootBlockDevice.${name}`);
  const instance = await there(client, id);
  const { root: volume = {} } = await volumesOf(client, instance);
  const VolumeId = String(volume["volumeId"]);
  checkVolume(`updating instance: % attribute not supported for type ${root.volumeType}`, {
    ...root,
    volumeType: root.volumeType ?? String(volume["volumeType"]),
  });
  const change = {
    ...(has("volumeSize") && root.volumeSize ? { Size: root.volumeSize } : {}),
    ...(has("volumeType") && root.volumeType ? { VolumeType: root.volumeType as "gp3" } : {}),
    ...(has("iops") && root.iops ? { Iops: root.iops } : {}),
    ...(has("throughput") && root.throughput ? { Throughput: root.throughput } : {}),
  };
  if (Object.keys(change).length > 0) {
    await client.send(new ModifyVolumeCommand({ VolumeId, ...change }));
    await volumeModified(client, id, VolumeId);
  }
  if (has("deleteOnTermination")) {
    const keeps = root.deleteOnTermination ?? true;
    const Ebs = { DeleteOnTermination: keeps };
    const { RootDeviceName } = instance;
    await modify(client, id, { BlockDeviceMappings: [{ DeviceName: RootDeviceName!, Ebs }] });
    await untilTold(
      client,
      id,
      "root block device DeleteOnTermination",
      ({ BlockDeviceMappings = [] }) =>
        BlockDeviceMappings.find(({ DeviceName }) => DeviceName === RootDeviceName)?.Ebs
          ?.DeleteOnTermination === keeps,
    );
  }
  if (has("tags")) await updateTags(client, VolumeId, before.tags, root.tags);
}

/** The volume is usable before: what is left is work in its background, for hours. */
async function volumeModified(client: EC2Client, id: string, volume: string): Promise<void> {
  await until({
    what: `waiting for EC2 Instance (${id}) volume (${volume}) update`,
    seconds: updateSeconds,
    look: async () => {
      const asked = new DescribeVolumesModificationsCommand({ VolumeIds: [volume] });
      return (await client.send(asked)).VolumesModifications?.[0];
    },
    state: ({ ModificationState }) => ModificationState ?? "",
    pending: ["modifying"],
    target: ["completed", "optimizing"],
    reason: ({ StatusMessage }) => StatusMessage,
  });
}

async function reserve(
  client: EC2Client,
  InstanceId: string,
  given: NonNullable<InstanceInputs["capacityReservationSpecification"]>,
): Promise<void> {
  const CapacityReservationSpecification = capacityOf(given);
  await stop(client, InstanceId);
  await client.send(
    new ModifyInstanceCapacityReservationAttributesCommand({ InstanceId, CapacityReservationSpecification }),
  );
  await untilTold(
    client,
    InstanceId,
    "capacity reservation attributes",
    ({ CapacityReservationSpecification: told }) =>
      told?.CapacityReservationPreference ===
        CapacityReservationSpecification.CapacityReservationPreference &&
      told?.CapacityReservationTarget?.CapacityReservationId ===
        CapacityReservationSpecification.CapacityReservationTarget?.CapacityReservationId,
  );
  await start(client, InstanceId);
}

async function nameBy(
  client: EC2Client,
  InstanceId: string,
  options: NonNullable<InstanceInputs["privateDnsNameOptions"]>,
): Promise<void> {
  const { enableResourceNameDnsAaaaRecord: six, enableResourceNameDnsARecord: four, hostnameType } = options;
  await client.send(
    new ModifyPrivateDnsNameOptionsCommand({
      InstanceId,
      ...(six === undefined ? {} : { EnableResourceNameDnsAAAARecord: six }),
      ...(four === undefined ? {} : { EnableResourceNameDnsARecord: four }),
      ...(hostnameType ? { PrivateDnsHostnameType: hostnameType as "ip-name" } : {}),
    }),
  );
}
