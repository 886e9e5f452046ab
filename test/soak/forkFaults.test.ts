/** A fork with faults in each phase, and killed in each; test/engine/fork has the first of them. */
import { AssociateAddressCommand, DescribeAddressesCommand, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fails, killedAfter } from "../engine/fork/faults.ts";
import { Fork } from "../engine/fork/fork.ts";
import { nothing } from "../engine/part/move.ts";

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)("a fork with faults", () => {
  let fork: Fork;
  beforeAll(async () => {
    fork = await new Fork("127.0.0.81").open();
  });
  afterAll(() => fork?.close());

  test("a copy that lacks a property of old is told", async () => {
    await fork.moveTo("idle");
    const answer = {
      success: `<userData><value>${Buffer.from("other").toString("base64")}</value></userData>`,
    };
    fork.front.rule("DescribeInstanceAttribute", {
      answer,
      where: ({ InstanceId, Attribute }) => InstanceId !== fork.old && Attribute === "userData",
    });
    await fails(fork, "prepared", "the copy should have every property of old", "userDataBase64");
    await fork.moveTo("prepared");
    expect(await fork.copies()).toHaveLength(1);
  });

  test("a fault or a kill on the way to app leaves what is done, and the next run goes on", async () => {
    fork.front.rule("DescribeInstances", { answer: { code: "UnauthorizedOperation", status: 403 } });
    fork.journal();
    await fails(fork, "app", "UnauthorizedOperation");
    expect(fork.journal()).toEqual([]);
    const seen: string[] = [];
    const told = () => {
      seen.push(...fork.journal().map((line) => line.replace(/ on .*/, "")));
      return seen;
    };
    const running = fork.stack.start("up", "--yes", "--skip-preview");
    await expect.poll(told, { timeout: 120_000, interval: 5 }).toContain("do writable");
    running.kill("SIGKILL");
    await running;
    await fork.stack.cancel();
    await fork.moveTo("app");
    expect(new Set(told())).toEqual(new Set(["do writable", "do release", "do health"]));
    expect(seen.at(-1)).toBe("do health");
    expect(fork.front.actions()).toEqual([]);
  });

  test("a fault on the way to address leaves the address at old; somebody else who moves it is told", async () => {
    await fork.moveTo("app");
    fork.front.rule("AssociateAddress", { answer: { code: "UnauthorizedOperation", status: 403 } });
    await fails(fork, "address", "UnauthorizedOperation");
    const { Instances = [] } = await fork.client.send(
      new RunInstancesCommand({ ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1 }),
    );
    const { Addresses = [] } = await fork.client.send(new DescribeAddressesCommand({}));
    const lead = (InstanceId: string) =>
      fork.client.send(
        new AssociateAddressCommand({
          AllocationId: Addresses[0]!.AllocationId,
          InstanceId,
          AllowReassociation: true,
        }),
      );
    await lead(Instances[0]!.InstanceId!);
    await fails(fork, "address", "see who has moved it");
    expect(fork.front.of("AssociateAddress")).toEqual([]);
    await lead(fork.old);
  });

  test("a copy that does not answer any more is given up by its id: the address comes back, nothing is asked of it", async () => {
    await fork.moveTo("address");
    const [copy] = await fork.copies();
    fork.dead(true);
    await fails(fork, "app", "what users have written there cannot be found out");
    const wrong = await fork.up("address", { abandon: "i-0123456789abcdef0" });
    expect(wrong.all).toContain(`the copy is ${copy!.InstanceId}`);
    const abandon = { abandon: copy!.InstanceId };
    const { exitCode, changes, all } = await fork.up("address", abandon);
    expect(exitCode, all).toBe(0);
    expect(changes, all).toMatchObject(nothing);
    fork.journal();
    await fork.moveTo("idle", abandon);
    expect(fork.journal()).toEqual(
      ["fork-jobs-stop", "snapshots", "fork-guard", "read-only"].map((step) => `undo ${step}`),
    );
    expect(fork.front.actions()).toContain("AssociateAddress");
    expect(await fork.copies()).toEqual([]);
    fork.dead(false);
    fork.front.clear();
  });

  test("a copy that a run which was killed has left goes with the way back", async () => {
    await killedAfter(fork, "RunInstances", "prepared");
    expect(await fork.copies()).toHaveLength(1);
    await fork.moveTo("idle");
    expect(await fork.copies()).toEqual([]);
    expect(await fork.images()).toEqual([]);
  });

  test("killed after the address went over, and on the way back, and on the way to finished: the next run goes on", async () => {
    await killedAfter(fork, "AssociateAddress", "address");
    expect(fork.front.of("AssociateAddress")).toHaveLength(1);
    fork.written("2 files in /srv/shop/uploads");
    await fails(fork, "app", "2 files and rows were written there since users are there");
    fork.written("");
    await fork.moveTo("address");
    expect(fork.front.of("AssociateAddress")).toEqual([]);
    await killedAfter(fork, "AssociateAddress", "app");
    await fork.moveTo("app");
    expect(fork.front.of("AssociateAddress")).toHaveLength(1);
    await fork.moveTo("address");
    fork.front.rule("StopInstances", { answer: { code: "UnauthorizedOperation", status: 403 } });
    await fails(fork, "finished", "UnauthorizedOperation");
    await killedAfter(fork, "StopInstances", "finished");
    await fork.moveTo("finished");
    expect(fork.front.of("StopInstances")).toHaveLength(1);
    const { changes, all } = await fork.up("finished");
    expect(changes, all).toMatchObject(nothing);
  });
});
