// The command at a fork that the real engine makes against moto: at every phase, with a copy that is dead, and with an API that refuses.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { forkFound } from "../../cli/check/check.ts";
import { reportOf } from "../../cli/check/report.ts";
import type { ForkAsking } from "../../cli/fork.ts";
import { forkStatusText } from "../../cli/status/forkText.ts";
import { forkStatus } from "../../cli/status/status.ts";
import { watchedFork } from "../../cli/watch/run.ts";
import { type Facts, type Inspection, type Reached, Unreachable } from "../../components/facts/inspect.ts";
import type { Side } from "../../components/server.ts";
import { parseForkConfig } from "../../stacks/config.ts";
import { Fork, keys } from "./fork/fork.ts";
import { lookAtFolder, stepsOn } from "./fork/servers.ts";

/** moto answers for it; this machine answers for the site there, at the site's own port, which only root may take. */
const address = "127.0.0.81";
const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)("the command at a fork", () => {
  let fork: Fork;
  let asking: ForkAsking;
  /** Whom the command has asked last. */
  let asked: Reached;
  beforeAll(async () => {
    fork = await new Fork(address).open();
    const look = lookAtFolder(fork.folder);
    asking = {
      key: () => Promise.resolve({ privateKey: undefined, privateKeyPassphrase: undefined }),
      inspect: (settings, access) => {
        asked = access;
        return look(settings, access);
      },
      status: look,
      verify: async (access, _move, stepsOf) => {
        const told = await look(parseForkConfig(fork.settings("idle")), access);
        return { old: verified(told, "old", stepsOf), new: verified(told, "new", stepsOf) };
      },
    };
  });
  afterAll(() => fork?.close());

  /** Every step that is done is as it was left. */
  function verified(
    told: Partial<Inspection>,
    side: Side,
    stepsOf: (side: Side) => readonly string[],
  ): Facts | Unreachable {
    const facts = told[side] ?? new Map<string, string>();
    if (facts instanceof Unreachable) return facts;
    const done = told[side] ? stepsOn(fork.folder, side) : [];
    return new Map(
      done.filter((name) => stepsOf(side).includes(name)).map((name) => [`verify.${name}`, "0 0.1 "]),
    );
  }

  const settings = (phase: string, more: object = {}) => parseForkConfig(fork.settings(phase, {}, more));
  const check = async (phase: string, more: object = {}) =>
    reportOf(await forkFound(settings(phase, more), asking));
  const status = (phase: string, more: object = {}) => forkStatus(settings(phase, more), asking);
  const idOfCopy = async () => (await fork.copies())[0]!.InstanceId!;

  /** All is well at a phase, by both, and nobody has touched anything. */
  async function expectWell(phase: string, before: string, side: "old" | "new"): Promise<void> {
    fork.front.clear();
    const [report, standing] = [await check(phase), await status(phase)];
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ exitCode: 0, phase, servers: { reached: phase } });
    expect(standing).toMatchObject({
      phase: { settings: phase, servers: { reached: phase } },
      users: { side, elasticIp: address },
      rollback: { command: before && `pulumi config set changeover:phase ${before} && pulumi up` },
    });
    expect(fork.front.actions()).toEqual([]);
  }

  test("at idle there is no copy, and that is no problem", async () => {
    await expectWell("idle", "idle", "old");
    expect((await status("idle")).servers.new).toMatchObject({ instance: null, reachable: null });
    const watched = watchedFork(settings("idle"));
    await watched.ask();
    expect(watched.places().map(({ via }) => via)).toEqual(["Elastic IP", "old"]);
  });

  test("at prepared the copy is asked at its own address, by the key that was pinned", async () => {
    await fork.moveTo("prepared");
    await expectWell("prepared", "idle", "old");
    const [copy] = await fork.copies();
    expect(asked.new).toMatchObject({ address: copy!.PrivateIpAddress, hostKey: "ssh-ed25519 AAAAcopy" });
    expect(await status("prepared")).toMatchObject({
      servers: {
        old: { instance: fork.old, state: "running", address: fork.oldAddress, reachable: true },
        new: {
          instance: copy!.InstanceId,
          state: "running",
          address: copy!.PrivateIpAddress,
          reachable: true,
        },
      },
    });
    const report = await check("prepared");
    expect(report.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(
      ["read-only", "fork-guard", "snapshots", "copy", "inventory"].map((step) => `${step} ok`),
    );
    const watched = watchedFork(settings("prepared"));
    await watched.ask();
    expect(watched.places().at(-1)).toEqual({ address: copy!.PrivateIpAddress, via: "new" });
  });

  test("a copy that does not answer is not found out about", async () => {
    fork.dead(true);
    const report = await check("prepared");
    expect(report).toMatchObject({ exitCode: 2, problems: [{ severity: "unknown", by: "guard" }] });
    expect((await status("prepared")).servers.new).toMatchObject({ reachable: false });
    fork.dead(false);
  });

  test("at address the copy serves users; what they have written there is told, and a way back loses it", async () => {
    await fork.moveTo("address");
    await expectWell("address", "app", "new");
    expect((await status("address")).rollback.losesWrites).toBe(false);
    fork.written("3 files in /srv/shop/uploads");
    const report = await status("address");
    expect(report).toMatchObject({
      users: { leads: await idOfCopy() },
      written: ["3 files in /srv/shop/uploads"],
      rollback: { losesWrites: true },
    });
    expect(forkStatusText(report, { steps: false, journal: 0 })).toContain(
      "until changeover:acceptLostWrites is 3",
    );
    fork.written("");
  });

  test("a phase that is not reached yet is to be known, and one that an up has left half done is wrong", async () => {
    const ahead = await check("finished");
    expect(ahead).toMatchObject({ exitCode: 0, servers: { reached: "address" } });
    expect(ahead.problems).toMatchObject([{ severity: "warning", by: "mark", place: "changeover:phase" }]);

    fork.front.rule("StopInstances", { answer: { code: "UnauthorizedOperation", status: 403 } });
    expect((await fork.up("finished")).exitCode).not.toBe(0);
    fork.front.clear();
    const half = await check("finished");
    expect(half).toMatchObject({
      exitCode: 1,
      servers: { partial: { phase: "finished", done: 2, steps: 3 } },
    });
    expect(half.problems).toMatchObject([{ severity: "error", by: "mark", place: "changeover:phase" }]);
    expect((await status("finished")).kept).toBeNull();
  });

  test("an API that refuses is not found out about, and no secret is told", async () => {
    fork.front.rule("DescribeInstances", {
      answer: { code: "UnauthorizedOperation", status: 403 },
      times: 4,
    });
    const [report, standing] = [await check("address"), await status("address")];
    expect(report).toMatchObject({
      exitCode: 2,
      problems: [{ severity: "unknown", place: "changeover:aws" }],
    });
    expect(report.steps.map(({ side }) => side)).toContain("old");
    expect(standing).toMatchObject({
      users: { side: "unknown" },
      servers: { old: { reachable: true }, new: { reachable: false } },
    });
    expect(JSON.stringify([report, standing])).not.toContain(keys.secretAccessKey);
    fork.front.clear();
    const other = await check("address", {
      aws: { ...(fork.settings("address")["aws"] as object), elasticIp: "203.0.113.9" },
    });
    expect(other).toMatchObject({ exitCode: 1, problems: [{ place: "changeover:aws.elasticIp" }] });
  });

  test("at finished old is stopped and kept, and is no problem", async () => {
    await fork.moveTo("finished");
    await expectWell("finished", "", "new");
    const { servers, kept, steps } = await status("finished");
    expect(servers.old).toMatchObject({ state: "stopped", reachable: null, error: null });
    expect(Date.parse(kept!.until) - Date.parse(kept!.stoppedAt)).toBe(14 * 24 * 3_600_000);
    expect(steps.filter(({ state }) => state !== "done")).toEqual([]);
    expect(await check("address")).toMatchObject({
      exitCode: 1,
      problems: [{ place: "changeover:phase", by: "guard" }],
    });
  });
});
