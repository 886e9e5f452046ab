/**
 * The whole fork, placed with Pulumi's own mocks: EC2 tells of old, and what is looked at is what Pulumi's plugin for AWS is
 * given. Every property on its way from EC2's answer to an input has a row of its own.
 */
import { EC2Client } from "@aws-sdk/client-ec2";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { placeStep } from "../../../components/step.ts";
import { parseForkConfig } from "../../../stacks/config.ts";
import { vmFork } from "../../../stacks/vmFork.ts";
import {
  bare,
  bareGiven,
  disks,
  hostKey,
  type Inputs,
  merge,
  type Name,
  old,
  others,
  properties,
  resources,
  type Told,
  whole,
  wholeGiven,
} from "./instance.ts";
import { completeFork } from "./settings.ts";

const names = Object.keys(resources) as Name[];

/** The copy's own addresses. */
const own = { privateIp: "10.0.1.20", publicIp: "198.51.100.20" };

/** A resource as it was registered. */
interface Registered {
  type: string;
  name: string;
  inputs: Inputs;
  /** Of what is there already. */
  id?: string;
  provider?: string;
}

/** Options of a resource, as far as tests ask for them. */
interface Options {
  retainOnDelete: boolean;
  ignoreChanges: string[];
  /** Types and names. */
  dependsOn: string[];
  timeout: string;
}

/** EC2's answer to one question; nothing is told of what was not asked for. */
function answer(told: Told, question: string, input: Inputs): object {
  const filters = (input["Filters"] ?? []) as { Name: string; Values: string[] }[];
  const { image, type, credits } = told;
  const asks = (name: string, value: string | undefined) => [input[name]].flat().includes(value);
  const attributes: Inputs = {
    userData: { UserData: { Value: told.userData } },
    disableApiStop: { DisableApiStop: { Value: told.disableApiStop } },
    instanceInitiatedShutdownBehavior: { InstanceInitiatedShutdownBehavior: { Value: told.shutdown } },
  };
  const answers: Record<string, () => object> = {
    DescribeInstancesCommand: () => ({
      Reservations: [
        { Instances: filters[0]?.Name === "instance-id" ? [told.instance!] : (told.copies ?? []) },
      ],
    }),
    DescribeImagesCommand: () => ({
      Images:
        filters[0]?.Name === "image-id"
          ? image && filters[0].Values.includes("ami-old")
            ? [image]
            : []
          : (told.copyImages ?? []),
    }),
    DescribeAddressesCommand: () => ({ Addresses: [{ AllocationId: "eipalloc-1", InstanceId: old }] }),
    DescribeInstanceAttributeCommand: () =>
      asks("InstanceId", old) ? (attributes[String(input["Attribute"])] as object) : {},
    DescribeVolumesCommand: () => ({
      Volumes: (input["VolumeIds"] as string[]).map((VolumeId) => ({
        VolumeId,
        ...told.volumes?.[VolumeId],
      })),
    }),
    DescribeInstanceTypesCommand: () => ({
      InstanceTypes: type && asks("InstanceTypes", told.instance?.InstanceType) ? [type] : [],
    }),
    DescribeInstanceCreditSpecificationsCommand: () => {
      if (!type?.BurstablePerformanceSupported) throw new Error("EC2 refuses this of a type without credits");
      return {
        InstanceCreditSpecifications: asks("InstanceIds", old) ? [{ CpuCredits: credits }] : [],
      };
    },
  };
  const found = answers[question];
  if (!found) throw new Error(`EC2 should not be asked ${question}`);
  return found();
}

/** What resources have once they are made: each an id that tells which it is, and what later ones ask for. */
function made({ type, name, inputs }: Registered): pulumi.runtime.MockResourceResult {
  const more: Record<string, Inputs> = {
    "aws:ec2/instance:Instance": own,
    "command:remote:Command": { stdout: name === "fork-guard" ? `forkHostKey=${hostKey}\n` : "" },
    "command:local:Command": { stdout: "" },
  };
  return { id: `id of ${name}`, state: { ...inputs, ...more[type] } };
}

/** Places the fork of an instance, up to a phase. */
async function placeFork(
  told: Told,
  { phase = "prepared", fork = {} }: { phase?: string; fork?: object } = {},
) {
  const registered: Registered[] = [];
  vi.spyOn(EC2Client.prototype, "send").mockImplementation(((command: { input: Inputs }) =>
    Promise.resolve(answer(told, command.constructor.name, command.input))) as never);
  vi.spyOn(pulumi.log, "info").mockResolvedValue();
  const isPlaced = Promise.withResolvers<void>();
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        const resource: Registered = { ...args, inputs: args.inputs as Inputs };
        registered.push(resource);
        // Comes after all the others.
        if (args.name === "under-way") isPlaced.resolve();
        return made(resource);
      },
      call: ({ token }) => {
        throw new Error(`nothing should be asked of a plugin, but ${token} is`);
      },
    },
    "changeover",
    "prod",
    false,
  );
  // Mocks know of no hooks; options they do not tell.
  const monitor = pulumi.runtime.getMonitor()!;
  Object.assign(monitor, { registerErrorHook: (_: unknown, done: (error: null) => void) => done(null) });
  const register = vi.spyOn(monitor, "registerResource");
  const settings = parseForkConfig({ ...completeFork, phase, fork: { ...completeFork.fork, ...fork } });
  await vmFork(settings, {
    inspect: () =>
      Promise.resolve({
        old: new Map([
          ["user", "0"],
          ["machine", old],
          ...settings.site.jobs.map((unit) => [`unit.${unit}`, "loaded"] as const),
          ["databases", "shop"],
        ]),
      }),
    key: () => Promise.resolve({ privateKey: "KEY" }),
    place: placeStep,
    holds: true,
  });
  await isPlaced.promise;
  const requests = register.mock.calls.map(([request]) => request);

  const find = (type: string, name: string) =>
    registered.find((one) => one.type === type && one.name === name) ??
    expect.fail(`there should be ${type} ${name}`);
  return {
    registered,
    find,
    /** What a resource of AWS was given. */
    inputs: (name: Name) => find(resources[name][0], resources[name][1]).inputs,
    /** The same of all of them that there are. */
    all: () =>
      Object.fromEntries(
        names.flatMap((name) => {
          const [type, called] = resources[name];
          const one = registered.find((other) => other.type === type && other.name === called);
          return one ? [[name, one.inputs]] : [];
        }),
      ),
    /** What a program on the operator's machine is told. */
    order: (name: string) =>
      JSON.parse((find("command:local:Command", name).inputs["stdin"] as { value: string }).value) as Inputs,
    options: (type: string, name: string): Options => {
      const request = requests.find((one) => one.getType() === type && one.getName() === name)!;
      return {
        retainOnDelete: request.getRetainondelete() ?? false,
        ignoreChanges: request.getIgnorechangesList(),
        dependsOn: request.getDependenciesList().map((urn) => urn.split("::").slice(2).join(" ")),
        timeout: request.getCustomtimeouts()?.getCreate() ?? "",
      };
    },
  };
}

afterAll(() => {
  vi.restoreAllMocks();
});

describe("the copy of an instance that has everything", () => {
  let placed: Awaited<ReturnType<typeof placeFork>>;

  beforeAll(async () => {
    placed = await placeFork(whole);
  });

  it.each(properties)("%s", (_what, _told, given) => {
    for (const [name, inputs] of Object.entries(given))
      expect(placed.inputs(name as Name)).toMatchObject(inputs);
  });

  it("is given that, and nothing else", () => {
    expect(placed.all()).toEqual(wholeGiven);
  });

  it("is all that is made at AWS", () => {
    const all = placed.registered.map(({ type, name }) => `${type} ${name}`);
    expect(all.filter((one) => !one.startsWith("command:")).toSorted()).toEqual(
      [
        "pulumi:providers:aws aws",
        ...names.map((name) => resources[name].join(" ")),
        "pulumi:index:Stash under-way",
      ].toSorted(),
    );
  });

  it("is made in the region of the settings, and nothing but EC2 is asked", () => {
    expect(placed.find("pulumi:providers:aws", "aws").inputs).toMatchObject({
      region: "eu-central-1",
      skipCredentialsValidation: "true",
      skipRequestingAccountId: "true",
      maxRetries: "6",
    });
    for (const [type, name] of Object.values(resources))
      expect(placed.find(type, name).provider).toBe(
        "urn:pulumi:prod::changeover::pulumi:providers:aws::aws::id of aws",
      );
  });

  it.each(disks)("%s: its snapshot stays, whatever becomes of the stack", (disk) => {
    const { dependsOn, ...options } = placed.options(...resources[disk]);
    expect(options).toEqual({
      retainOnDelete: true,
      ignoreChanges: ["tags", "description"],
      timeout: "7200s",
    });
    expect(dependsOn).toContain("command:remote:Command fork-guard");
  });

  it("is not made again, and is undone by the way back", () => {
    const options = { retainOnDelete: false, ignoreChanges: ["*"] };
    expect(placed.options(...resources.image)).toMatchObject({ ...options, timeout: "" });
    expect(placed.options(...resources.copy)).toMatchObject({ ...options, timeout: "900s" });
  });

  it("comes after what it is made of, and its step after it", () => {
    const { dependsOn } = placed.options(...resources.image);
    for (const before of [
      ...disks.map((disk) => resources[disk].join(" ")),
      "command:remote:Command snapshots",
      "command:local:Command copy-leftovers",
    ])
      expect(dependsOn).toContain(before);
    expect(placed.options(...resources.copy).dependsOn).toContain(resources.image.join(" "));
    expect(placed.options("command:local:Command", "copy-status").dependsOn).toContain(
      resources.copy.join(" "),
    );
    expect(placed.options("command:remote:Command", "copy").dependsOn).toContain(
      "command:local:Command copy-status",
    );
  });

  it("is the machine that later steps go to, known by the key that the guard has made", () => {
    expect(placed.order("copy-status")).toMatchObject({ instance: "id of copy", of: old });
    expect(placed.order("copy-leftovers")).toMatchObject({ instance: old, image: `changeover-shop-${old}` });
    expect(placed.find("command:remote:Command", "copy").inputs["connection"]).toMatchObject({
      value: { host: own.privateIp, hostKey },
    });
  });
});

describe("the copy of a bare instance", () => {
  it("is given nothing of what that has not", async () => {
    expect((await placeFork(bare)).all()).toEqual(bareGiven);
  });

  it.each(others)("%s", async (_what, told, given, fork = {}) => {
    expect((await placeFork(merge(bare, told), { fork })).all()).toEqual(merge(bareGiven, given));
  });

  it("is reached by its public address where the settings say so", async () => {
    const placed = await placeFork(bare, { fork: { reach: "public" } });
    expect(placed.find("command:remote:Command", "copy").inputs["connection"]).toMatchObject({
      value: { host: own.publicIp },
    });
  });

  it("stays, and its image, when the fork is finished", async () => {
    const placed = await placeFork(bare, { phase: "finished" });
    for (const name of ["image", "copy", "root"] as const)
      expect(placed.options(...resources[name]).retainOnDelete).toBe(true);
  });
});

it("a copy that a run which was cut off has made is taken over", async () => {
  const placed = await placeFork({
    ...bare,
    copies: [{ InstanceId: "i-copy", State: { Name: "running" } }],
    copyImages: [
      {
        ImageId: "ami-copy",
        Tags: [
          { Key: "changeover:volume:/dev/xvda", Value: "vol-root" },
          { Key: "changeover:volume:/dev/sdf", Value: "vol-data" },
        ],
      },
    ],
  });
  expect(placed.find(...resources.copy).id).toBe("i-copy");
  expect(placed.find(...resources.image).id).toBe("ami-copy");
  // Volumes as they were when the image was made.
  expect(placed.inputs("data")).toMatchObject({ volumeId: "vol-data" });
});
