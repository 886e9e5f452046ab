// aws:ec2/instance:Instance for the double of the AWS provider.
import { type EC2Client, RunInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import type { Aws } from "../awsProvider.ts";
import type { Wire } from "../commandInputs.ts";
import type { Difference, Remote, ResourceType } from "../resourceProvider.ts";
import * as schema from "../schema.ts";
import { again, clientOf, createTags, doing, finish, ifKnown, remoteOf, until } from "./client.ts";
import { checkInstance, fields, type InstanceInputs, requestOf, typeInfo } from "./instanceInputs.ts";
import { findAny, findInstance, notFound, stateOf } from "./instanceState.ts";
import { applyChanges, applyToNew, protect } from "./instanceUpdate.ts";

const createSeconds = 600;
const deleteSeconds = 1200;
const iamSeconds = 120;

export const instance: ResourceType<Aws> = {
  check: checkInstance,
  diff,
  create: async (aws, inputs) => {
    const client = clientOf(aws);
    const given = inputs as InstanceInputs;
    const request = await doing("collecting instance settings", () => requestOf(client, given));
    // A role and its profile are known to EC2 some seconds after they were made.
    const { Instances: [made] = [] } = await doing("creating EC2 Instance", () =>
      again(
        iamSeconds,
        ["InvalidParameterValue"],
        ["Invalid IAM Instance Profile", " has no associated IAM Roles"],
        () => client.send(new RunInstancesCommand(request)),
      ),
    );
    const id = made!.InstanceId!;
    return finish({ id, inputs }, async () => {
      const running = await until({
        what: `waiting for EC2 Instance (${id}) create`,
        seconds: createSeconds,
        look: () => findAny(client, id),
        state: ({ State }) => State?.Name ?? "",
        pending: ["pending"],
        target: ["running"],
        reason: ({ StateReason }) => StateReason?.Message,
      });
      for (const { DeviceName, Ebs } of running.BlockDeviceMappings ?? [])
        await createTags(client, Ebs!.VolumeId!, volumeTags(given, DeviceName!, running.RootDeviceName));
      await applyToNew(client, id, given);
      return stateAfter(aws, client, id, inputs);
    });
  },
  read: async (aws, id, known, given) => {
    const client = clientOf(aws);
    const found = await doing(`reading EC2 Instance (${id})`, () => findInstance(client, id));
    if (!found) return undefined;
    return remoteOf(fields, id, await stateOf(aws, client, found, { ...known, ...given }), given);
  },
  update: async (aws, id, inputs, olds) => {
    const client = clientOf(aws);
    const changed = (await diff(aws, olds, inputs)).map(({ path }) => path);
    await applyChanges(client, id, inputs, olds, changed);
    return stateAfter(aws, client, id, inputs);
  },
  delete: async (aws, id, known) => {
    const client = clientOf(aws);
    // Protection holds against the provider, too, unless the state says that it may be lifted.
    if (known["forceDestroy"]) {
      await protect(client, id, "DisableApiTermination", false).catch(() => {});
      await protect(client, id, "DisableApiStop", false).catch(() => {});
    }
    const answer = await doing(`terminating EC2 Instance (${id})`, () =>
      ifKnown(client.send(new TerminateInstancesCommand({ InstanceIds: [id] })), notFound),
    );
    if (!answer) return;
    await until({
      what: `waiting for EC2 Instance (${id}) delete`,
      seconds: deleteSeconds,
      look: async () => (await findAny(client, id)) ?? { State: { Name: "terminated" as const } },
      state: ({ State }) => State?.Name ?? "",
      pending: ["pending", "running", "shutting-down", "stopping", "stopped"],
      target: ["terminated"],
    });
  },
};

/** User data replaces where the program wants it so, and a type where no image runs on both. */
async function diff(aws: Aws, olds: Wire, news: Wire): Promise<Difference[]> {
  const found = schema.differences(fields, olds, news);
  const byType =
    found.some(({ path }) => path === "instanceType") && (await otherArchitecture(aws, olds, news));
  return found.map(({ path, replaces }) => ({
    path,
    replaces:
      replaces ||
      (path.startsWith("userData") &&
        path !== "userDataReplaceOnChange" &&
        !!news["userDataReplaceOnChange"]) ||
      (path === "instanceType" && byType),
  }));
}

async function otherArchitecture(aws: Aws, olds: Wire, news: Wire): Promise<boolean> {
  const client = clientOf(aws);
  const architectures = async ({ instanceType }: Wire) =>
    (await typeInfo(client, String(instanceType))).ProcessorInfo?.SupportedArchitectures ?? [];
  try {
    const [before, after] = await Promise.all([architectures(olds), architectures(news)]);
    return !before.some((one) => after.includes(one));
  } catch {
    // The provider takes a type that it cannot look up for one that fits.
    return false;
  }
}

function volumeTags(
  { rootBlockDevice, ebsBlockDevices = [] }: InstanceInputs,
  device: string,
  root?: string,
) {
  if (device === root && rootBlockDevice?.tags) return rootBlockDevice.tags;
  return ebsBlockDevices.find(({ deviceName }) => deviceName === device)?.tags;
}

async function stateAfter(aws: Aws, client: EC2Client, id: string, inputs: Wire): Promise<Remote> {
  const found = await doing(`reading EC2 Instance (${id})`, () => findInstance(client, id));
  if (!found) throw new Error(`reading EC2 Instance (${id}): couldn't find resource`);
  return { id, inputs, outputs: await stateOf(aws, client, found, inputs) };
}
