/** A release on a copy of the machine: the copy, who runs jobs, what users have written there, and what becomes of old. */
import type { local } from "@pulumi/command";
import type { Instance } from "@pulumi/aws/ec2/instance.js";
import * as pulumi from "@pulumi/pulumi";
import { type AwsAccess } from "../aws/aws.ts";
import type { Natives } from "../aws/natives.ts";
import { accessOf } from "../elasticIp/elasticIp.ts";
import { markFolder } from "../mark/mark.ts";
import { placeProgram } from "../program.ts";
import { placeInventory } from "../inventory/inventory.ts";
import { scriptBeside, type Setting } from "../script.ts";
import { takeSnapshots, type Volume } from "../snapshots/snapshots.ts";
import type { Access } from "../server.ts";
import type { Step } from "../step.ts";
import { checkSettings, processFiles } from "../web/web.ts";
import type { Original } from "./original.ts";
import { copyArgs, forkTags, imageArgs, imageName, ownTags, volumeTag } from "./properties.ts";

/** What an operator sets of a fork; durations in seconds. */
export interface ForkSettings {
  move: string;
  phase: string;
  old: { address: string };
  site: {
    names: readonly string[];
    jobs: readonly string[];
    files: readonly string[];
    checks: readonly { path: string; marker: string; status: number }[];
  };
  fork: {
    reach: "private" | "public";
    hostname?: string | undefined;
    readOnly?: { on: string; off: string; user: string; deadline: number } | undefined;
    release: readonly { command: string; back?: string | undefined; user: string; deadline: number }[];
    inventory: readonly { file: string; name?: string | undefined }[];
    database: { where: "machine" | "elsewhere" | "none"; name?: string | undefined; port: number };
    snapshotDeadline: number;
    bootDeadline: number;
    /** A copy that does not answer any more: the way back asks nothing of it. */
    abandon?: string | undefined;
    keepOldFor: number;
    terminateOld?: string | undefined;
  };
  aws: AwsAccess & { old: string; elasticIp: string; deadline: number };
  stepDeadline: number;
}

/** What a run knows of AWS, and makes there. */
export interface ForkRun {
  natives: Natives;
  /** Old, as it is to be copied; none once its copy is there. */
  original: Original | undefined;
  volumes: readonly Volume[];
  /** What is there already: Pulumi takes it over where it knows nothing of it. */
  found: { instance?: string | undefined; image?: string | undefined };
  /** Is told of the copy. */
  made: (copy: Instance) => void;
  /** The copy's address and id, once it is made. */
  copy: () => { address: pulumi.Output<string>; id: pulumi.Output<string> };
  /** What opens old and the copy, once that is made: users are held while the address goes over. */
  access?: (() => Access<pulumi.Input<string>>) | undefined;
  /** The key by which the copy is known, once the guard's step is placed, which prints it. */
  hostKey: () => pulumi.Output<string>;
}

/** What machine.ts is told. */
export interface MachineOrder {
  access: AwsAccess;
  move: string;
  /** The instance that something is done to. */
  instance: string;
  /** Old. */
  of: string;
  image: string;
  deadlineSeconds: number;
  keepSeconds: number;
}

/** Names of steps that others ask for. */
export const forkSteps = {
  guard: "fork-guard",
  copy: "copy",
  jobsStop: "fork-jobs-stop",
  handover: "fork-handover",
  jobsStart: "fork-jobs-start",
  writes: "fork-writes",
  finishNew: "fork-finish-new",
  finishOld: "fork-finish-old",
  stopOld: "stop-old",
} as const;

/** The copy's name. */
export function copyName({ move, fork }: Pick<ForkSettings, "move" | "fork">): string {
  return fork.hostname ?? `${move}-copy`;
}

/** Settings that every script of a fork may use. */
export function sharedForkSettings(settings: ForkSettings): Record<string, Setting> {
  const { site, fork, aws } = settings;
  return {
    JOBS: site.jobs,
    FILES: site.files,
    NAMES: site.names,
    OLD_INSTANCE: aws.old,
    COPY_NAME: copyName(settings),
    DATABASE: fork.database.where === "machine" ? fork.database.name! : "",
    PGPORT: fork.database.port,
  };
}

const folder = (path: string) => new URL(path, import.meta.url);
const command = folder("../shell/command.sh");
const guardFiles = folder("guard/files.sh");

type ReadOnly = NonNullable<ForkSettings["fork"]["readOnly"]>;
const hook = ({ on, off, user, deadline }: ReadOnly): Record<string, Setting> => ({
  HOOK_ON: on,
  HOOK_OFF: off,
  HOOK_USER: user,
  HOOK_DEADLINE: deadline,
});

/** Users may read, and not write, until the way back: what they would write on old, the copy would not have. */
export function makeReadOnly({ stepDeadline }: ForkSettings, readOnly: ReadOnly): Step {
  return {
    name: "read-only",
    side: "old",
    title: "make the site read-only",
    back: "let users write again",
    folder: folder("readOnly/"),
    shared: [command],
    settings: hook(readOnly),
    deadlineSeconds: Math.max(stepDeadline, readOnly.deadline + 30),
  };
}

/** The copy, made of a site that was read-only, takes what users write. */
export function makeWritable({ stepDeadline }: ForkSettings, readOnly: ReadOnly): Step {
  return {
    ...makeReadOnly({ stepDeadline } as ForkSettings, readOnly),
    name: "writable",
    side: "new",
    title: "let users write on the copy",
    back: "make it read-only again",
    folder: folder("writable/"),
  };
}

/** On the copy, and there alone: no job runs at its first boot, and it gets a machine-id, host keys and a name of its own. */
export function installGuard({ stepDeadline }: ForkSettings, after: readonly string[]): Step {
  return {
    name: forkSteps.guard,
    side: "old",
    title: "install what keeps jobs and cron off on a copy, and makes it one of its own",
    back: "remove it",
    folder: folder("guard/"),
    shared: [guardFiles],
    settings: { GUARD: scriptBeside(import.meta.url, "guard/guard.sh") },
    after,
    heldUntil: forkSteps.finishOld,
    deadlineSeconds: stepDeadline,
  };
}

/** Snapshots of all volumes, an image of these, and an instance of that: the original's properties, all of them. */
export function makeCopy(settings: ForkSettings, run: ForkRun | undefined): Step[] {
  const { move, fork, aws, stepDeadline } = settings;
  const snapshots = new Map<string, pulumi.Output<string>>();
  const tagsOf = (id: string) =>
    ownTags(run?.original?.volumes.find(({ volume }) => volume.VolumeId === id)?.volume.Tags);
  return [
    {
      ...takeSnapshots(
        { move, stepDeadline, database: { copyDeadline: fork.snapshotDeadline } },
        aws.old,
        run && { ...run, tagsOf, taken: (id, snapshot) => snapshots.set(id, snapshot.id) },
      ),
      after: [forkSteps.guard],
    },
    {
      name: forkSteps.copy,
      side: "new",
      title: `make the copy of ${aws.old}, ${copyName(settings)}, and wait until it is up`,
      back: "terminate it",
      folder: folder("copy/"),
      shared: [guardFiles],
      after: ["snapshots"],
      heldUntil: forkSteps.finishNew,
      deadlineSeconds: stepDeadline,
      expectedSeconds: () => 180,
      ...(run
        ? {
            ahead: (dependsOn, hooks) =>
              placeCopy(settings, run, snapshots, { dependsOn, ...(hooks ? { hooks } : {}) }),
          }
        : {}),
    },
  ];
}

/** Places image and copy, each after what it needs, and after that the wait for its status checks. */
function placeCopy(
  settings: ForkSettings,
  run: ForkRun,
  snapshots: ReadonlyMap<string, pulumi.Output<string>>,
  options: { dependsOn: pulumi.Resource[]; hooks?: pulumi.ResourceHookBinding },
): pulumi.Resource[] {
  const { move, phase, fork, aws } = settings;
  const { original, volumes, found } = run;
  const kept = { ...options, retainOnDelete: phase === "finished" };
  const tags = { [forkTags.move]: move, [forkTags.of]: aws.old };
  const leftovers = placeMachine("copy-leftovers", settings, aws.old, kept, { delete: "leftovers" });
  const image = run.natives.image(
    "image",
    {
      ...(original ? imageArgs(original, snapshots) : {}),
      name: imageName(move, aws.old),
      description: `changeover ${move}: ${aws.old}`,
      tags: { ...tags, ...Object.fromEntries(volumes.map(({ id, device }) => [volumeTag + device, id])) },
    },
    {
      ...kept,
      dependsOn: [...options.dependsOn, leftovers],
      ...(found.image ? { import: found.image } : {}),
    },
  );
  const own = { image: image.id, snapshots, isPublic: fork.reach === "public" };
  const copyTags = { ...tags, [forkTags.hostKey]: run.hostKey() };
  const copy = run.natives.instance(
    "copy",
    original
      ? copyArgs(original, { ...own, tags: copyTags })
      : { ami: image.id, instanceType: "t3.micro", tags: copyTags },
    {
      ...kept,
      dependsOn: [...options.dependsOn, image],
      customTimeouts: { create: `${fork.bootDeadline}s` },
      ...(found.instance ? { import: found.instance } : {}),
    },
  );
  run.made(copy);
  const status = placeMachine(
    "copy-status",
    settings,
    copy.id,
    { ...kept, dependsOn: [...options.dependsOn, copy] },
    { create: "status" },
  );
  return [leftovers, image, copy, status];
}

/** Places one call of machine.ts. */
function placeMachine(
  name: string,
  { move, aws, fork }: ForkSettings,
  instance: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
  verbs: { create?: string; delete?: string },
): local.Command {
  const order = pulumi.output(instance).apply((id) =>
    JSON.stringify({
      access: accessOf(aws),
      move,
      instance: id,
      of: aws.old,
      image: imageName(move, aws.old),
      deadlineSeconds: fork.bootDeadline,
      keepSeconds: fork.keepOldFor,
    } satisfies MachineOrder),
  );
  const run = (verb: string | undefined) => verb && `components/fork/machine.ts ${verb}`;
  return placeProgram(name, { create: run(verbs.create), delete: run(verbs.delete), order }, options);
}

/** What was done from the operator's machine leaves its mark on the copy. */
const marked = { side: "new", folder: markFolder } as const;

/** The inventory's files lead to the copy. */
export function leadInventory(settings: ForkSettings, run: ForkRun | undefined): Step {
  const { move, phase, old, fork, stepDeadline } = settings;
  return {
    ...marked,
    name: "inventory",
    title: `lead ${fork.inventory.map(({ file }) => file).join(", ")} to the copy`,
    back: "restore them",
    after: [forkSteps.copy],
    deadlineSeconds: stepDeadline,
    ...(run
      ? {
          ahead: (dependsOn, hooks) =>
            fork.inventory.map(({ file, name }, index) =>
              placeInventory(
                `inventory-${index + 1}`,
                { move, file, from: name ?? old.address },
                run.copy().address,
                {
                  dependsOn,
                  retainOnDelete: phase === "finished",
                  ...(hooks ? { hooks } : {}),
                },
              ),
            ),
        }
      : {}),
  };
}

/** The release's own commands, on the copy. */
export function release({ fork, stepDeadline }: ForkSettings, after: readonly string[]): Step {
  const all = fork.release;
  const back = all.flatMap((one) => (one.back === undefined ? [] : [one.back]));
  return {
    name: "release",
    side: "new",
    title: `release: ${all.map((one) => one.command).join("; ")}`,
    back: back.length > 0 ? back.toReversed().join("; ") : "nothing",
    folder: folder("release/"),
    shared: [command],
    settings: {
      COMMANDS: all.map((one) => one.command),
      BACKS: all.map((one) => one.back ?? ""),
      USERS: all.map(({ user }) => user),
      DEADLINES: all.map(({ deadline }) => String(deadline)),
    },
    after,
    deadlineSeconds: all.reduce((sum, { deadline }) => sum + deadline + 10, stepDeadline),
  };
}

/** The site's checks, at the copy's own address. */
export function checkHealth({ site, stepDeadline }: ForkSettings, after: readonly string[]): Step {
  return {
    name: "health",
    side: "new",
    title: "check the site at the copy's own address",
    back: "nothing",
    folder: folder("health/"),
    shared: [folder("../web/check.sh"), folder("health/own.sh")],
    settings: checkSettings(site.checks),
    after,
    deadlineSeconds: stepDeadline,
    remedy: "on the copy: see why the site does not answer there, before users come",
  };
}

/** Jobs and cron stop on old. */
export function stopJobsOnOld({ stepDeadline }: ForkSettings): Step {
  return {
    name: forkSteps.jobsStop,
    side: "old",
    title: "stop jobs and cron",
    back: "start them as they were",
    folder: folder("jobsStop/"),
    shared: [...processFiles, guardFiles],
    deadlineSeconds: stepDeadline,
    remedy: "on old: systemctl disable --now the unit; it runs on the copy, and twice is wrong",
  };
}

/** Jobs and cron start on the copy. */
export function startJobsOnCopy({ stepDeadline }: ForkSettings): Step {
  return {
    name: forkSteps.jobsStart,
    side: "new",
    title: "start jobs and cron",
    back: "stop them",
    folder: folder("jobsStart/"),
    shared: [guardFiles],
    after: ["elastic-ip"],
    deadlineSeconds: stepDeadline,
    remedy: "on the copy: systemctl start the unit, and journalctl -u UNIT says why it ended",
  };
}

const writes = () => ({
  shared: [folder("writes.sh")],
  settings: { ROWS: scriptBeside(import.meta.url, "rows.sql") },
});

/** Keeps the moment from which on users write on the copy. */
export function keepHandover({ stepDeadline }: ForkSettings): Step {
  return {
    ...writes(),
    name: forkSteps.handover,
    side: "new",
    title: "note from when on users write on the copy",
    back: "forget it",
    folder: folder("handover/"),
    after: [forkSteps.jobsStop],
    deadlineSeconds: stepDeadline,
  };
}

/** The last step there and the first one back: what users have written on the copy is not left behind unasked. */
export function guardWrites({ stepDeadline }: ForkSettings): Step {
  return {
    ...writes(),
    name: forkSteps.writes,
    side: "new",
    title: "nothing",
    back: "name what users have written on the copy; refused until that is accepted",
    folder: folder("writes/"),
    after: [forkSteps.jobsStart],
    deadlineSeconds: stepDeadline,
  };
}

/** The copy is a machine like any other; old is stopped, and at last terminated where the settings name it. */
export function finishFork(settings: ForkSettings, run: ForkRun | undefined): Step[] {
  const { aws, fork, stepDeadline } = settings;
  const done = (name: string, verb: string): Pick<Step, "ahead"> =>
    run
      ? {
          ahead: (dependsOn, hooks) => [
            placeMachine(
              `${name}-now`,
              settings,
              aws.old,
              { dependsOn, retainOnDelete: true, ...(hooks ? { hooks } : {}) },
              { create: verb },
            ),
          ],
        }
      : {};
  const finish = { shared: [guardFiles], back: "nothing", deadlineSeconds: stepDeadline } as const;
  return [
    {
      ...finish,
      name: forkSteps.finishNew,
      side: "new",
      title: "remove what kept jobs and cron off on the copy",
      folder: folder("finishNew/"),
    },
    {
      ...finish,
      name: forkSteps.finishOld,
      side: "old",
      title: "remove the same on old; its jobs stay off",
      folder: folder("finishOld/"),
    },
    {
      ...marked,
      ...done(forkSteps.stopOld, "stop"),
      name: forkSteps.stopOld,
      title: `stop old (${aws.old}); it is kept`,
      back: "nothing",
      after: [forkSteps.finishNew, forkSteps.finishOld],
      deadlineSeconds: stepDeadline,
    },
    ...(fork.terminateOld === undefined
      ? []
      : [
          {
            ...marked,
            ...done("terminate-old", "terminate"),
            name: "terminate-old",
            title: `TERMINATE old (${fork.terminateOld}); its snapshots are kept`,
            back: "nothing",
            after: [forkSteps.stopOld],
            deadlineSeconds: stepDeadline,
          },
        ]),
  ];
}
