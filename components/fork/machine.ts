// What is done to old and its copy from the operator's machine, as Pulumi's local command: `machine.ts VERB`. By stdin comes the order.
//   status     waits until the copy runs and EC2's status checks have passed, and compares it with old, property by property
//   leftovers  terminates and deregisters what a run that was cut off has made, and Pulumi knows nothing of
//   stop       stops old, and notes since when it is stopped
//   terminate  terminates old, when it has been stopped for long enough
import { text } from "node:stream/consumers";
import * as aws from "@aws-sdk/client-ec2";
import { ec2 } from "../aws/aws.ts";
import { instancesBy, isAlive } from "../aws/instances.ts";
import { busy } from "../busy.ts";
import { forPeople } from "../duration.ts";
import { askOriginal, type Original } from "./original.ts";
import { copiesOf, differences, ownTags, stoppedTag } from "./properties.ts";
import type { MachineOrder } from "./steps.ts";

const pauseMilliseconds = 1000;

const order = JSON.parse(await text(process.stdin)) as MachineOrder;
const { instance, of, move } = order;
const client = await ec2(order.access);
const verbs = { status, leftovers, stop, terminate };

try {
  await verbs[process.argv[2] as keyof typeof verbs]();
} catch (error) {
  console.error(`error: instance ${instance}: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function status(): Promise<void> {
  await waitUntil("EC2's status checks should pass", async () => {
    const { InstanceStatuses = [] } = await client
      .send(new aws.DescribeInstanceStatusCommand({ InstanceIds: [instance], IncludeAllInstances: true }))
      .catch((error: Error) => {
        // Not all of EC2 has heard of it yet.
        if (error.name === "InvalidInstanceID.NotFound") return { InstanceStatuses: [] };
        throw error;
      });
    const [found] = InstanceStatuses;
    const told = [found?.InstanceState?.Name, found?.SystemStatus?.Status, found?.InstanceStatus?.Status];
    return {
      reached: told.join() === "running,ok,ok",
      last: told.map((value) => value ?? "unknown").join(", "),
    };
  });
  const original = await ask(of);
  await complete(original, await ask(instance));
  const different = differences(original, await ask(instance));
  if (different.length > 0)
    throw new Error(
      `the copy should have every property of old (${of}), but has not: ${different.join("; ")}. Change it there (aws ec2 modify-instance-attribute ...), or go back to phase idle and forward again`,
    );
}

/** What a copy gets after it is made, it lacks where the run that made it was cut off. */
async function complete(original: Original, copy: Original): Promise<void> {
  const SourceDestCheck = { Value: original.instance.SourceDestCheck ?? true };
  if (SourceDestCheck.Value !== (copy.instance.SourceDestCheck ?? true))
    await client.send(new aws.ModifyInstanceAttributeCommand({ InstanceId: instance, SourceDestCheck }));
  for (const { device, volume } of copy.volumes) {
    const wanted = original.volumes.find((other) => other.device === device);
    const Tags = Object.entries(ownTags(wanted?.volume.Tags)).map(([Key, Value]) => ({ Key, Value }));
    const lacks = Tags.some(({ Key, Value }) => ownTags(volume.Tags)[Key] !== Value);
    if (lacks) await client.send(new aws.CreateTagsCommand({ Resources: [volume.VolumeId!], Tags }));
  }
}

async function ask(id: string): Promise<Original> {
  const found = await find(id);
  if (!found) throw new Error(`${id} should be there, but is not`);
  return askOriginal(client, found);
}

async function stop(): Promise<void> {
  const found = await find();
  if (!found) throw new Error("should be there, but is not: somebody else has terminated it");
  if (found.State?.Name !== "stopped") {
    await client.send(new aws.StopInstancesCommand({ InstanceIds: [instance] }));
    await waitUntil("it should stop", async () => {
      const state = (await find())?.State?.Name ?? "unknown";
      return { reached: state === "stopped", last: state };
    });
  }
  if (found.Tags?.some(({ Key }) => Key === stoppedTag)) return;
  const now = new Date().toISOString();
  await client.send(
    new aws.CreateTagsCommand({ Resources: [instance], Tags: [{ Key: stoppedTag, Value: now }] }),
  );
  console.log(`oldStopped=${now}`);
}

async function terminate(): Promise<void> {
  const found = await find();
  if (!found) return;
  const since = Date.parse(found.Tags?.find(({ Key }) => Key === stoppedTag)?.Value ?? "");
  const left = since / 1000 + order.keepSeconds - Date.now() / 1000;
  if (found.State?.Name !== "stopped" || Number.isNaN(since))
    throw new Error(`should have been stopped by this move, but is ${found.State?.Name}: nothing was done`);
  if (left > 0)
    throw new Error(
      `is kept for ${forPeople(left)} yet (changeover:fork.keepOldFor): take changeover:fork.terminateOld away until then`,
    );
  await client.send(new aws.TerminateInstancesCommand({ InstanceIds: [instance] }));
}

async function leftovers(): Promise<void> {
  const copies = await instancesBy(client, copiesOf(move, of));
  for (const { InstanceId } of copies.filter(isAlive)) {
    console.error(`terminating ${InstanceId}, a copy that a run which was cut off has left`);
    const DisableApiTermination = { Value: false };
    await client.send(new aws.ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination }));
    await client.send(new aws.TerminateInstancesCommand({ InstanceIds: [InstanceId!] }));
  }
  const { Images = [] } = await client.send(
    new aws.DescribeImagesCommand({ Owners: ["self"], Filters: [{ Name: "name", Values: [order.image] }] }),
  );
  for (const { ImageId } of Images) {
    console.error(`deregistering ${ImageId}, an image that a run which was cut off has left`);
    await client.send(new aws.DeregisterImageCommand({ ImageId }));
  }
}

/** The instance, unless it is gone. */
async function find(id = instance): Promise<aws.Instance | undefined> {
  return (await instancesBy(client, [{ Name: "instance-id", Values: [id] }])).find(isAlive);
}

/** Looks until something is reached; what was seen last is told where the deadline passes. */
async function waitUntil(
  what: string,
  look: () => Promise<{ reached: boolean; last: string }>,
): Promise<void> {
  const end = Date.now() + order.deadlineSeconds * 1000;
  for (;;) {
    const { reached, last } = await look();
    if (reached) return;
    if (Date.now() > end)
      throw new Error(
        `${what} within ${forPeople(order.deadlineSeconds)}, but last: ${last}${busy()}. See why, and run 'pulumi up' again`,
      );
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
}
