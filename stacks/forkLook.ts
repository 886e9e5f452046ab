/** Looks at old, its copy and the Elastic IP, at EC2 and on the servers, and checks what a fork needs. */
import type { EC2Client, Filter, Instance } from "@aws-sdk/client-ec2";
import { attempts, ec2 } from "../components/aws/aws.ts";
import { instancesBy, isAlive } from "../components/aws/instances.ts";
import { natives, type Natives } from "../components/aws/natives.ts";
import { elasticIpStep } from "../components/elasticIp/elasticIp.ts";
import { leadsTo, lookAt, machineOf, type Place, told } from "../components/elasticIp/address.ts";
import { checkElasticIp, checkMachine } from "../components/elasticIp/guard.ts";
import { askThose, type Inspection, type Reached, Unreachable } from "../components/facts/inspect.ts";
import { checkFinished, checkServers, checkWritten } from "../components/fork/guard.ts";
import { askOriginal, type Original } from "../components/fork/original.ts";
import {
  checkOriginal,
  copiesOf,
  forkTags,
  imageName,
  ownTags,
  stoppedTag,
  volumeTag,
} from "../components/fork/properties.ts";
import { forkSteps, sharedForkSettings } from "../components/fork/steps.ts";
import type { Finding } from "../components/guards/guards.ts";
import { assignments, scriptBeside } from "../components/script.ts";
import type { Server } from "../components/server.ts";
import type { Volume } from "../components/snapshots/snapshots.ts";
import { actions, refused } from "./aws.ts";
import { type ForkConfig, forkPhases } from "./config.ts";
import { marksOf } from "./progress.ts";

/** What EC2 tells. */
export interface ForkAws {
  natives: Natives;
  old: Instance | undefined;
  /** All that the copy has to have; asked only where there is no copy yet. */
  original: Original | undefined;
  /** Copies that this move has made and that are not terminated: one at most, unless something went wrong. */
  copies: readonly Instance[];
  image: string | undefined;
  /** The volumes of old, as they were when the image was made. */
  volumes: readonly Volume[];
  place: Place;
}

/** What the operator's AWS user or role has to be allowed for a fork. */
const allowed = [
  ...actions.always,
  ...actions.elasticIp,
  ...actions.snapshots,
  ...["DescribeImages", "DescribeVolumes", "DescribeInstanceAttribute", "DescribeInstanceStatus"],
  ...["DescribeInstanceTypes", "DescribeInstanceCreditSpecifications", "DescribeVpcs"],
  ...["RegisterImage", "DeregisterImage", "RunInstances", "ModifyInstanceAttribute", "MonitorInstances"],
  ...["StopInstances", "TerminateInstances"],
];

/**
 * Asks EC2.
 * @returns what stops everything else, where it could not be asked.
 */
export async function lookAtFork(settings: ForkConfig): Promise<ForkAws | Finding> {
  const { aws, move } = settings;
  try {
    const client = await ec2(aws);
    const { DescribeImagesCommand } = await import("@aws-sdk/client-ec2");
    const [made, [old], copies, images, place] = await Promise.all([
      natives(aws, attempts),
      living(client, [{ Name: "instance-id", Values: [aws.old] }]),
      living(client, copiesOf(move, aws.old)),
      client.send(
        new DescribeImagesCommand({
          Owners: ["self"],
          Filters: [{ Name: "name", Values: [imageName(move, aws.old)] }],
        }),
      ),
      lookAt(client, aws.elasticIp),
    ]);
    const [image] = images.Images ?? [];
    const original = old && copies.length === 0 ? await askOriginal(client, old) : undefined;
    const noted = Object.entries(ownTags(image?.Tags)).flatMap(([key, id]) =>
      key.startsWith(volumeTag) ? [{ id, device: key.slice(volumeTag.length) }] : [],
    );
    return {
      ...{ natives: made, old, original, copies, image: image?.ImageId, place },
      volumes: noted.length > 0 ? noted : old ? machineOf(old).volumes : [],
    };
  } catch (error) {
    return refused(aws, error as Error, allowed);
  }
}

/** Instances that are not terminated. */
async function living(client: EC2Client, filters: Filter[]): Promise<Instance[]> {
  return (await instancesBy(client, filters)).filter(isAlive);
}

/** How the copy is reached: with old's user and port, its own address and key; nothing where it cannot be. */
export function copyServer({ fork, old }: ForkConfig, copy: Instance | undefined): Server | undefined {
  const address = fork.reach === "public" ? copy?.PublicIpAddress : copy?.PrivateIpAddress;
  const hostKey = ownTags(copy?.Tags)[forkTags.hostKey];
  return address && hostKey ? { ...old, address, hostKey } : undefined;
}

/** How long one server may take to tell its facts, in seconds. */
const inspectDeadline = 40;

/** Asks old and its copy, each where it runs. */
export function inspectFork(settings: ForkConfig, access: Reached): Promise<Partial<Inspection>> {
  const beside = (file: string) => scriptBeside(import.meta.url, `../components/${file}`);
  const script = (side: "old" | "new") =>
    [
      assignments({
        ...sharedForkSettings(settings),
        MOVE: settings.move,
        SIDE: side,
        ROOT: `/var/lib/changeover/${settings.move}`,
        ROWS: beside("fork/rows.sql"),
      }),
      beside("facts/facts.sh"),
      beside("fork/writes.sh"),
      beside("fork/facts.sh"),
      "inspect_fork </dev/null",
    ].join("\n");
  return askThose(access, script, inspectDeadline);
}

/** Since when old is stopped by this move, in milliseconds since the epoch. */
export function stoppedSince(old: Instance | undefined): number | undefined {
  const tag = ownTags(old?.Tags)[stoppedTag];
  return tag === undefined ? undefined : Date.parse(tag);
}

/** All that stops a fork, or that the operator should know. */
export function forkFindings(
  settings: ForkConfig,
  { old, original, copies, place }: ForkAws,
  inspection: Partial<Inspection>,
  server: Server | undefined,
): Finding[] {
  const { aws, phase, move, fork, acceptLostWrites } = settings;
  const { done, begun } = marksOf(move, {
    old: inspection.old ?? new Map(),
    new: inspection.new ?? new Map(),
  });
  const isFinished = done(forkSteps.stopOld) || stoppedSince(old) !== undefined;
  const finished = checkFinished(settings, isFinished, stoppedSince(old), Date.now());
  if (isFinished) return finished;
  const machine = old && machineOf(old);
  const [copy] = copies;
  const side = leadsTo(place, machine) ? "old" : copy && leadsTo(place, machineOf(copy)) ? "new" : undefined;
  const leads = forkPhases.indexOf(phase) >= forkPhases.indexOf("address");
  const goesBack = !leads && (side === "new" || begun(elasticIpStep)) && fork.abandon === undefined;
  return [
    ...finished,
    ...checkMachine("old", aws.old, settings.old.address, machine, true),
    ...(original ? checkOriginal(original) : []),
    ...(copies.length > 1 ? [severalCopies(copies)] : []),
    ...checkAbandoned(settings, copy),
    ...(goesBack ? checkWritten(writtenOnCopy(inspection), acceptLostWrites) : []),
    ...checkElasticIp(
      { side, leads: told(place) },
      {
        elasticIp: aws.elasticIp,
        old: aws.old,
        new: copy?.InstanceId ?? "the copy",
        // What a copy that does not answer has noted is not known.
        led: done(elasticIpStep) || (inspection.new instanceof Unreachable && side === "new"),
        leads,
        phase: "address",
        before: "app",
      },
    ),
    ...(inspection.old
      ? checkServers(settings, {
          old: inspection.old,
          copy: inspection.new,
          at: { old: settings.old, new: server, bastion: settings.bastion },
        })
      : []),
  ];
}

function severalCopies(copies: readonly Instance[]): Finding {
  const ids = copies.map(({ InstanceId }) => InstanceId).join(", ");
  return {
    place: "the copy",
    rule: "is one instance",
    value: `there are ${ids}`,
    remedy:
      "a run that was cut off has left one: pulumi stack export says which is the stack's; terminate the other",
  };
}

/** Only the copy itself can be given up, by its id. */
function checkAbandoned({ fork: { abandon } }: ForkConfig, copy: Instance | undefined): Finding[] {
  if (abandon === undefined || copy === undefined || copy.InstanceId === abandon) return [];
  return [
    {
      place: "changeover:fork.abandon",
      rule: "is the copy",
      value: `the copy is ${copy.InstanceId}`,
      remedy: "pulumi config rm --path 'changeover:fork.abandon'",
    },
  ];
}

/** The facts of a look; of a server that is not there, none. */
export function bothFacts({ old = new Map(), new: fresh = new Map() }: Partial<Inspection>): Inspection {
  return { old, new: fresh };
}

/** What users have written on the copy, one line for each place, its number first. */
export function writtenOnCopy({ new: fresh }: Partial<Inspection>): string[] {
  if (fresh === undefined || fresh instanceof Unreachable) return [];
  return (fresh.get("written") ?? "").split("\n").filter(Boolean);
}
