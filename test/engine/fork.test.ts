// A release on a copy of the machine, through the real engine against moto: there, back from each phase, with a fault in each, and killed in each.
import { readFileSync } from "node:fs";
import { DescribeInstanceAttributeCommand, DescribeVolumesCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leadsTo, lookAt, machines } from "../../components/elasticIp/address.ts";
import { fails, killedAfter } from "./fork/faults.ts";
import { Fork, keys } from "./fork/fork.ts";
import { nothing } from "./part/move.ts";
import type { RunResult } from "./pulumi.ts";

/** moto answers for it; this machine answers for the site there, at the site's own port, which only root may take. */
const address = "127.0.0.79";
const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)("a fork", () => {
  let fork: Fork;
  beforeAll(async () => {
    fork = await new Fork(address).open();
  });
  afterAll(() => fork?.close());

  /** Where the Elastic IP leads. */
  async function leads(): Promise<string> {
    const [place, [copy]] = await Promise.all([lookAt(fork.client, address), fork.copies()]);
    const found = await machines(fork.client, [fork.old, ...(copy ? [copy.InstanceId!] : [])]);
    if (leadsTo(place, found.get(fork.old))) return "old";
    return copy && leadsTo(place, found.get(copy.InstanceId!)) ? "copy" : "elsewhere";
  }

  async function expectNothingToDo(phase: string, more: object = {}): Promise<void> {
    const { changes, all } = await fork.up(phase, more);
    expect(changes, all).toMatchObject(nothing);
    fork.front.clear();
  }

  /** The steps of a journal, without their servers. */
  const steps = (journal: string[]) => journal.map((line) => line.replace(/ on .*/, ""));

  /** What a preview tells: resources and run sheet; ids and what the engine says of itself left out. */
  function told({ stdout }: RunResult): string {
    const changes = stdout
      .split("\n")
      .filter((line) => /^ [+~-] {2}\S+:\S+ \S+ (create|update|delete)/.test(line));
    const [sheet = ""] = /^ +Run sheet of [^]*?(?=\n +warning|\n\n)/m.exec(stdout) ?? [];
    const counts = /\nResources:\n([^]*)/.exec(stdout)?.[1] ?? "";
    const text = [
      // Steps side by side are told as they come.
      ...new Set(changes.map((line) => line.replace(/ (warning|Run sheet).*/, "").trimEnd()).toSorted()),
      "",
      sheet,
      "",
      counts.trimEnd(),
      "",
    ].join("\n");
    const ids = new Map<string, string>();
    return text.replaceAll(fork.folder, "FOLDER").replace(/\b(i|vol)-[0-9a-f]{17}\b/g, (id, kind: string) => {
      const known =
        ids.get(id) ?? `${kind}-${[...ids.keys()].filter((one) => one.startsWith(kind)).length + 1}`;
      ids.set(id, known);
      return known;
    });
  }

  async function expectPreview(phase: string): Promise<void> {
    const result = await fork.preview(phase);
    expect(result.exitCode, result.all).toBe(0);
    expect(fork.front.actions()).toEqual([]);
    fork.front.clear();
    await expect(told(result)).toMatchFileSnapshot(`fork/preview.${phase}.txt`);
  }

  test("idle looks, and touches nothing", async () => {
    await expectPreview("idle");
    await fork.moveTo("idle");
    expect(fork.front.actions()).toEqual([]);
    expect(fork.journal()).toEqual([]);
  });

  test("prepared makes snapshots, an image of these, and a copy with every property of old", async () => {
    await expectPreview("prepared");
    await fork.moveTo("prepared");
    expect(fork.front.actions()).toEqual([
      "CreateSnapshot",
      "CreateSnapshot",
      "RegisterImage",
      "CreateTags",
      "RunInstances",
      "CreateTags",
      "CreateTags",
    ]);
    const [image] = fork.front.of("RegisterImage");
    const snapshots = await fork.snapshots();
    const [old] = await fork.instances([fork.old]);
    const idOf = (device: string) =>
      old!.BlockDeviceMappings!.find(({ DeviceName }) => DeviceName === device)!.Ebs!.VolumeId;
    const snapshotOf = (device: string) =>
      snapshots.find(({ VolumeId }) => VolumeId === idOf(device))!.SnapshotId;
    expect(snapshots.every(({ State }) => State === "completed")).toBe(true);
    expect(snapshots.find(({ VolumeId }) => VolumeId === idOf("/dev/sda1"))).toMatchObject({
      Encrypted: true,
      Tags: expect.arrayContaining([{ Key: "Disk", Value: "shop" }]) as unknown,
    });
    expect(image!.parameters).toMatchObject({
      RootDeviceName: "/dev/sda1",
      VirtualizationType: "hvm",
      "BlockDeviceMapping.1.Ebs.SnapshotId": snapshotOf("/dev/sda1"),
      "BlockDeviceMapping.1.Ebs.VolumeSize": "20",
      "BlockDeviceMapping.1.Ebs.VolumeType": "gp3",
      "BlockDeviceMapping.2.Ebs.SnapshotId": snapshotOf("/dev/sdf"),
      "BlockDeviceMapping.2.Ebs.DeleteOnTermination": "false",
    });
    const [copy] = await fork.copies();
    const same = ["InstanceType", "SubnetId", "KeyName", "EbsOptimized", "SecurityGroups", "MetadataOptions"];
    for (const property of same as (keyof typeof copy)[])
      expect(copy![property], property).toEqual(old![property]);
    expect(copy).toMatchObject({
      ImageId: (await fork.images())[0]!.ImageId,
      Tags: expect.arrayContaining([
        { Key: "Name", Value: "shop" },
        { Key: "changeover:move", Value: "shop" },
        { Key: "changeover:fork-of", Value: fork.old },
        { Key: "changeover:host-key", Value: "ssh-ed25519 AAAAcopy" },
      ]) as unknown,
    });
    const attribute = (Attribute: "userData" | "disableApiTermination", InstanceId: string) =>
      fork.client.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
    const [theirs, ours] = await Promise.all(
      [fork.old, copy!.InstanceId!].map((id) => attribute("userData", id)),
    );
    expect(ours!.UserData!.Value).toBe(theirs!.UserData!.Value);
    expect(fork.front.of("RunInstances")[0]!.parameters).toMatchObject({ DisableApiTermination: "true" });
    const { Volumes = [] } = await fork.client.send(
      new DescribeVolumesCommand({
        Filters: [{ Name: "attachment.instance-id", Values: [copy!.InstanceId!] }],
      }),
    );
    expect(Volumes.map(({ Size, VolumeType, Tags }) => [Size, VolumeType, Tags]).toSorted()).toEqual(
      [20, 40].map((size) => [size, "gp3", [{ Key: "Disk", Value: "shop" }]]),
    );
    // The steps on the copy come by its own address, and know it by the key that was made beforehand.
    const at = `on ${copy!.PrivateIpAddress} ssh-ed25519 AAAAcopy`;
    const onOld = `on ${fork.oldAddress} ssh-ed25519 AAAAold`;
    expect(fork.journal()).toEqual([
      ...["read-only", "fork-guard", "snapshots"].map((step) => `do ${step} ${onOld}`),
      ...["copy", "inventory"].map((step) => `do ${step} ${at}`),
    ]);
    expect(readFileSync(fork.inventory, "utf8")).toBe(
      `# the shop\n[web]\nshop ansible_host=${copy!.PrivateIpAddress}   # not ${fork.oldAddress}0\n`,
    );
    expect(await leads()).toBe("old");
    await expectNothingToDo("prepared");
    expect((await fork.stack.exportState()).text).not.toContain(keys.secretAccessKey);
  });

  test("app releases on the copy, and leaves the address alone", async () => {
    fork.front.clear();
    await expectPreview("app");
    await fork.moveTo("app");
    expect(fork.front.actions()).toEqual([]);
    expect(steps(fork.journal())).toEqual(["do writable", "do release", "do health"]);
    await expectNothingToDo("app");
  });

  test("address leads the address to the copy in one call; jobs stop before and start after", async () => {
    await expectPreview("address");
    fork.page = "not the site";
    const failed = await fork.up("address");
    expect(failed.exitCode).not.toBe(0);
    expect(failed.all).toContain("the site should answer /health through it within 5 s");
    expect(await leads()).toBe("old");
    fork.page = "ok";
    fork.front.clear();
    await fork.moveTo("address");
    expect(await leads()).toBe("copy");
    expect(fork.front.actions()).toEqual(["AssociateAddress"]);
    expect(fork.front.of("AssociateAddress")[0]!.parameters).toMatchObject({ AllowReassociation: "true" });
    expect(steps(fork.journal())).toEqual([
      "do fork-jobs-stop",
      "do fork-handover",
      "do elastic-ip",
      "do fork-jobs-start",
      "do fork-writes",
    ]);
    await expectNothingToDo("address");
  });

  test("destroy is refused while users are on the copy, and undoes nothing", async () => {
    const { exitCode } = await fork.stack.destroy();
    expect(exitCode).not.toBe(0);
    expect(fork.front.actions()).toEqual([]);
    expect(fork.journal()).toEqual([]);
  });

  test("the way back from address names what users have written on the copy, and is refused until that is accepted", async () => {
    fork.written("3 files in /srv/shop/uploads\n4 rows of public.orders");
    for (const refused of [await fork.preview("app"), await fork.up("app")]) {
      expect(refused.exitCode).not.toBe(0);
      expect(refused.all).toContain(
        "7 files and rows were written there since users are there (3 files in /srv/shop/uploads, 4 rows of public.orders)",
      );
    }
    expect((await fork.preview("address")).all).toContain(
      "Written on the copy since users are there: 3 files in /srv/shop/uploads, 4 rows of public.orders.",
    );
    expect(await leads()).toBe("copy");
    expect(fork.journal()).toEqual([]);
    fork.front.clear();
    await fork.moveTo("app", {}, { acceptLostWrites: 7 });
    expect(await leads()).toBe("old");
    expect(fork.front.actions()).toEqual(["AssociateAddress"]);
    expect(steps(fork.journal())).toEqual([
      "do accept-lost-writes-7",
      "undo fork-writes",
      "undo fork-jobs-start",
      "undo elastic-ip",
      "undo fork-handover",
      "undo fork-jobs-stop",
    ]);
    fork.written("");
    await fork.moveTo("app");
    expect(steps(fork.journal())).toEqual(["undo accept-lost-writes-7"]);
  });

  test("the way back to prepared and to idle: the release, the inventory, the copy; snapshots are kept", async () => {
    await fork.moveTo("prepared");
    expect(steps(fork.journal())).toEqual(["undo health", "undo release", "undo writable"]);
    fork.front.clear();
    await fork.moveTo("idle");
    expect(fork.front.actions()).toEqual([
      "ModifyInstanceAttribute",
      "ModifyInstanceAttribute",
      "TerminateInstances",
      "DeregisterImage",
    ]);
    expect(steps(fork.journal())).toEqual([
      "undo inventory",
      "undo copy",
      "undo snapshots",
      "undo fork-guard",
      "undo read-only",
    ]);
    expect(await fork.copies()).toEqual([]);
    expect(await fork.images()).toEqual([]);
    expect(await fork.snapshots()).toHaveLength(2);
    expect(readFileSync(fork.inventory, "utf8")).toBe(fork.hosts(fork.oldAddress));
    await expectNothingToDo("idle");
  });

  test("finished stops old, and keeps it until it is named and its time is over; destroying the stack touches nothing", async () => {
    await fork.moveTo("address");
    fork.journal();
    fork.front.clear();
    await expectPreview("finished");
    await fork.moveTo("finished");
    expect(fork.front.actions()).toEqual(["StopInstances", "CreateTags"]);
    const state = async () => (await fork.instances([fork.old]))[0]!.State!.Name;
    expect(await state()).toBe("stopped");
    await expectNothingToDo("finished");
    const back = await fork.up("address");
    expect(back.all).toContain("stays at finished once the fork is finished");

    const early = await fork.up("finished", { terminateOld: fork.old });
    expect(early.all).toMatch(
      /terminates i-\w+ when it has been stopped for 336 h .*, but (336 h|335 h 5\d min) are left/,
    );
    const other = await fork.up("finished", { terminateOld: "i-0123456789abcdef0", keepOldFor: "1 second" });
    expect(other.all).toContain("should be aws.old, the one instance that this may terminate");
    expect(await state()).toBe("stopped");
    await expectNothingToDo("finished");

    await new Promise((resolve) => setTimeout(resolve, 1100));
    await fork.moveTo("finished", { terminateOld: fork.old, keepOldFor: "1 second" });
    expect(await state()).toBe("terminated");
    expect(fork.front.actions()).toEqual(["TerminateInstances"]);
    await expectNothingToDo("finished", { terminateOld: fork.old, keepOldFor: "1 second" });

    const { exitCode, all } = await fork.stack.destroy();
    expect(exitCode, all).toBe(0);
    expect(fork.front.actions()).toEqual([]);
    expect(await leads()).toBe("copy");
    expect(await fork.copies()).toHaveLength(1);
  });
});

describe.runIf(isRoot)("a fork with faults", () => {
  let fork: Fork;
  beforeAll(async () => {
    fork = await new Fork("127.0.0.80").open();
  });
  afterAll(() => fork?.close());

  test("of the API on the way to prepared are told, and the next run goes on", async () => {
    fork.front.rule("CreateSnapshot", { answer: { code: "UnauthorizedOperation", status: 403 } });
    await fails(fork, "prepared", "UnauthorizedOperation");
    fork.front.rule("RegisterImage", { answer: { code: "InvalidSnapshot.NotFound", status: 400 } });
    await fails(fork, "prepared", "InvalidSnapshot.NotFound");
    const capacity = { code: "InsufficientInstanceCapacity", status: 500, message: "no t3.small is left" };
    fork.front.rule("RunInstances", { answer: capacity });
    await fails(fork, "prepared", "InsufficientInstanceCapacity: no t3.small is left");
    expect(await fork.copies()).toEqual([]);
    expect(await fork.snapshots()).toHaveLength(2);
    expect(await fork.images()).toHaveLength(1);
  });

  test("the copy is one though the command is killed right after it was made", async () => {
    await killedAfter(fork, "RunInstances", "prepared");
    expect(await fork.copies()).toHaveLength(1);
    // The API throttles, and does not know yet what was just made.
    fork.front.rule("DescribeInstances", { answer: { code: "RequestLimitExceeded", status: 503 }, times: 2 });
    fork.front.rule("DescribeInstanceStatus", {
      answer: { code: "InvalidInstanceID.NotFound", status: 400 },
      times: 2,
    });
    await fork.moveTo("prepared");
    expect(await fork.copies()).toHaveLength(1);
    expect(fork.front.of("RunInstances")).toHaveLength(1);
    const { changes, all } = await fork.up("prepared");
    expect(changes, all).toMatchObject(nothing);
  });
});
