/** Looks at old, its copy and the Elastic IP, at EC2 and on the servers, and checks what a fork needs. */
import type { EC2Client, Filter, Instance } from "@aws-sdk/client-ec2";
import { attempts, ec2 } from "../components/aws/aws.ts";
import { instancesBy, isAlive } from "../components/aws/instances.ts";
import { natives, type Natives } from "../components/aws/natives.ts";
import { elasticIpStep } from "../components/elasticIp/elasticIp.ts";
import { leadsTo, lookAt, machineOf, NoAddress, type Place, told } from "../components/elasticIp/address.ts";
import { checkElasticIp, checkMachine } from "../components/elasticIp/guard.ts";
import {
  askThose,
  bothFacts,
  type Facts,
  inspectDeadline,
  type Inspection,
  type Reached,
  Unreachable,
} from "../components/facts/inspect.ts";
import {
  checkCopy,
  checkFinished,
  checkServers,
  checkWritten,
  whereLost,
  whereLostForGood,
} from "../components/fork/guard.ts";
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
import type { Access, Server, Side } from "../components/server.ts";
import type { Volume } from "../components/snapshots/snapshots.ts";
import { actions, refused } from "./aws.ts";
import { type ForkConfig, forkPhases } from "./config.ts";
import { marksOf } from "./progress.ts";
import type { Runbook } from "./runbook.ts";

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
      copiesAt(client, settings),
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
    return { ...refused(aws, error as Error, allowed), unknown: !(error instanceof NoAddress) };
  }
}

/** The copies that this move has made. */
function copiesAt(client: EC2Client, { move, aws }: ForkConfig): Promise<Instance[]> {
  return living(client, copiesOf(move, aws.old));
}

/** What asks for the copies alone, for who does so again and again. */
export function copiesAsker(settings: ForkConfig): () => Promise<Instance[]> {
  let client: Promise<EC2Client> | undefined;
  return async () => copiesAt(await (client ??= ec2(settings.aws)), settings);
}

/** Instances that are not terminated. */
async function living(client: EC2Client, filters: Filter[]): Promise<Instance[]> {
  return (await instancesBy(client, filters)).filter(isAlive);
}

/** How the copy is reached: with old's user and port, its own address and key; nothing where it cannot be. */
export function copyServer(settings: ForkConfig, copy: Instance | undefined): Server | undefined {
  const address = copyAddress(settings, copy);
  const hostKey = ownTags(copy?.Tags)[forkTags.hostKey];
  return address && hostKey ? { ...settings.old, address, hostKey } : undefined;
}

/** The copy's own address, of the kind by which it is reached. */
export function copyAddress({ fork }: ForkConfig, copy: Instance | undefined): string | undefined {
  return fork.reach === "public" ? copy?.PublicIpAddress : copy?.PrivateIpAddress;
}

/** Those of the two that can be asked: old where it runs, the copy where it is known how. */
export function reachedOf(
  { old }: ForkConfig,
  aws: ForkAws,
  server: Server | undefined,
  opening: Omit<Access, Side>,
): Reached {
  return {
    ...opening,
    ...(aws.old?.State?.Name === "running" ? { old } : {}),
    ...(server ? { new: server } : {}),
  };
}

/** Asks old and its copy, each where it runs. */
export function inspectFork(settings: ForkConfig, access: Reached): Promise<Partial<Inspection>> {
  return askFork(settings, access, [], "inspect_fork");
}

/** The same quickly: how far the fork is there, and what users have written on the copy. */
export function readForkStatus(settings: ForkConfig, access: Reached): Promise<Partial<Inspection>> {
  return askFork(settings, access, ["facts/status.sh"], "status_fork");
}

/**
 * @param more scripts that are needed beside those of every look.
 * @param look the function that prints the facts.
 */
function askFork(
  settings: ForkConfig,
  access: Reached,
  more: readonly string[],
  look: string,
): Promise<Partial<Inspection>> {
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
      ...[
        "shell/vanished.sh",
        "shell/busy.sh",
        "shell/psql.sh",
        "facts/facts.sh",
        ...more,
        "fork/writes.sh",
        "fork/facts.sh",
      ].map(beside),
      `${look} </dev/null`,
    ].join("\n");
  return askThose(access, script, inspectDeadline);
}

/** Since when old is stopped by this move, in milliseconds since the epoch. */
export function stoppedSince(old: Instance | undefined): number | undefined {
  const tag = ownTags(old?.Tags)[stoppedTag];
  return tag === undefined ? undefined : Date.parse(tag);
}

/** Whether old is stopped by this move: then there is no way back, and what is on old cannot be asked. */
export function isFinished(
  { move }: Pick<ForkConfig, "move">,
  { old }: Pick<ForkAws, "old">,
  inspection: Partial<Inspection>,
): boolean {
  return marksOf(move, bothFacts(inspection)).done(forkSteps.stopOld) || stoppedSince(old) !== undefined;
}

/** The side to which the Elastic IP leads; none where it leads to neither. */
export function sideLed({ old, copies: [copy], place }: ForkAws): Side | undefined {
  if (leadsTo(place, old && machineOf(old))) return "old";
  return copy && leadsTo(place, machineOf(copy)) ? "new" : undefined;
}

/**
 * What both servers have told, with why one did not. What this move has stopped is no more asked, but known: the steps on old are all done then.
 */
export function inspectionOf(
  settings: ForkConfig,
  runbook: Runbook<string>,
  aws: ForkAws,
  inspection: Partial<Inspection>,
): Inspection {
  const { old, copies } = aws;
  const why = unreachedCopy(settings, copies[0]);
  return {
    old:
      inspection.old ??
      (isFinished(settings, aws, inspection) ? allDoneOnOld(settings, runbook) : new Unreachable(oldIs(old))),
    new: inspection.new ?? (why === undefined ? new Map<string, string>() : new Unreachable(why)),
  };
}

/** The marks of every step on old. */
function allDoneOnOld({ move }: ForkConfig, runbook: Runbook<string>): Facts {
  const steps = Object.values(runbook)
    .flat()
    .filter(({ side }) => side === "old");
  const marks = steps.map(({ name }) => `${move}/${name}`).join("\n");
  return new Map([
    ["done", marks],
    ["begun", marks],
  ]);
}

/** Old, where it does not run. */
function oldIs(old: Instance | undefined): string {
  return old ? `its instance is ${old.State?.Name ?? "unknown"}` : "EC2 has no such instance";
}

/** Why it is not known how to reach a copy that is there. */
function unreachedCopy(settings: ForkConfig, copy: Instance | undefined): string | undefined {
  if (copy === undefined || copyServer(settings, copy)) return undefined;
  return copyAddress(settings, copy) === undefined
    ? `EC2 knows no ${settings.fork.reach} address of it`
    : `it has no tag ${forkTags.hostKey}, which has its key`;
}

/** All that stops a fork, or that the operator should know. */
export function forkFindings(
  settings: ForkConfig,
  aws: ForkAws,
  inspection: Partial<Inspection>,
  server: Server | undefined,
): Finding[] {
  const { phase, move, fork, acceptLostWrites } = settings;
  const { old, original, copies, place } = aws;
  const { done } = marksOf(move, bothFacts(inspection));
  const over = isFinished(settings, aws, inspection);
  const finished = checkFinished(settings, over, stoppedSince(old), Date.now());
  const at = { old: settings.old, new: server, bastion: settings.bastion };
  const [copy] = copies;
  const lost = over ? whereLostForGood : whereLost;
  const unreached = noWayToCopy(settings, copy, lost);
  if (over) return [...finished, ...unreached, ...checkCopy({ copy: inspection.new, at }, lost)];
  const side = sideLed(aws);
  const leads = forkPhases.indexOf(phase) >= forkPhases.indexOf("address");
  // Also where the address came back by itself: users may have written there meanwhile.
  const goesBack = !leads && (side === "new" || done(forkSteps.handover)) && fork.abandon === undefined;
  const written = unreached.length > 0 ? undefined : writtenOnCopy(inspection);
  return [
    ...finished,
    ...checkMachine("old", settings.aws.old, settings.old.address, old && machineOf(old), true),
    ...(original ? checkOriginal(original) : []),
    ...(copies.length > 1 ? [severalCopies(copies)] : []),
    ...checkAbandoned(settings, copy),
    ...(goesBack ? checkWritten(written, acceptLostWrites) : []),
    ...unreached,
    ...checkElasticIp(
      { side, leads: told(place) },
      {
        elasticIp: settings.aws.elasticIp,
        old: settings.aws.old,
        new: copy?.InstanceId ?? "the copy",
        // What a copy that does not answer has noted is not known.
        led: done(elasticIpStep) || (inspection.new instanceof Unreachable && side === "new"),
        leads,
        phase: "address",
        before: "app",
      },
    ),
    ...(inspection.old
      ? checkServers(settings, { old: inspection.old, copy: inspection.new, at })
      : checkCopy({ copy: inspection.new, at })),
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

/** A copy that is there has to be reached at its own address, by its own key. */
function noWayToCopy(settings: ForkConfig, copy: Instance | undefined, lost: string): Finding[] {
  const why = unreachedCopy(settings, copy);
  if (copy === undefined || why === undefined) return [];
  return [
    {
      place: `new (${copy.InstanceId})`,
      rule: "is reached at its own address, by its own key",
      value: `${why}; it is ${copy.State?.Name ?? "unknown"}`,
      remedy: `see that it runs, and changeover:fork.reach. ${lost}`,
      warning: true,
      unknown: true,
    },
  ];
}

/** What users have written on the copy, one line for each place, its number first; undefined where that could not be found out. */
export function writtenOnCopy({ new: fresh }: Partial<Inspection>): string[] | undefined {
  if (fresh === undefined) return [];
  if (fresh instanceof Unreachable || fresh.has("written.unknown")) return undefined;
  return (fresh.get("written") ?? "").split("\n").filter(Boolean);
}
