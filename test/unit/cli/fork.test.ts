/** What `changeover check`, `status` and `watch` make of a fork, out of what EC2 and its servers have told. */
import type { Instance } from "@aws-sdk/client-ec2";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { forkFoundOf } from "../../../cli/check/check.ts";
import { reportOf } from "../../../cli/check/report.ts";
import { checkText } from "../../../cli/check/text.ts";
import type { ForkSeen } from "../../../cli/fork.ts";
import { onlyServerMove } from "../../../cli/stack.ts";
import { forkStatusOf } from "../../../cli/status/fork.ts";
import { forkStatusText } from "../../../cli/status/forkText.ts";
import { watchedFork } from "../../../cli/watch/run.ts";
import { aims } from "../../../cli/watch/targets.ts";
import { Tally } from "../../../cli/watch/tally.ts";
import { type Facts, type Inspection, Unreachable } from "../../../components/facts/inspect.ts";
import { parseConfig, parseForkConfig } from "../../../stacks/config.ts";
import { copyServer } from "../../../stacks/forkLook.ts";
import type { ForkReached } from "../../../stacks/forkOutputs.ts";
import { vmForkRunbook } from "../../../stacks/vmFork.ts";
import { completeFork } from "../fork/settings.ts";
import { complete } from "../settings.ts";

const oldId = "i-0123456789abcdef0";
const copyId = "i-0fedcba9876543210";
const now = Temporal.Instant.from("2026-11-22T02:30:00Z");
const gone = new Unreachable("Connection timed out");

const config = (phase: string, more: object = {}) => parseForkConfig({ ...completeFork, ...more, phase });
const steps = (...phases: ForkReached[]) =>
  phases.flatMap((phase) => vmForkRunbook(config("idle"))[phase].map(({ name }) => name));

/** An instance as EC2 tells it. */
const instance = (
  id: string,
  address: string,
  tags: Record<string, string>,
  state = "running",
): Instance => ({
  InstanceId: id,
  PrivateIpAddress: address,
  State: { Name: state as "running" },
  NetworkInterfaces: [
    { NetworkInterfaceId: `eni-${address}`, PrivateIpAddresses: [{ PrivateIpAddress: address }] },
  ],
  Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
});
const old = instance(oldId, "10.0.1.10", {});
const copy = instance(copyId, "10.0.1.77", { "changeover:host-key": "ssh-ed25519 AAAAcopy" });

interface Situation {
  phase: string;
  /** Steps that are done, and that were begun only, each on its side. */
  done?: readonly string[];
  begun?: readonly string[];
  machines?: { old?: Instance; copies?: Instance[] };
  /** The instance to which the Elastic IP leads. */
  leads?: string;
  /** Other facts of the two; of a server that is mute, why. */
  facts?: Partial<Record<"old" | "new", Record<string, string> | Unreachable>>;
  settings?: object;
}

/** A situation, as the command learns of it. */
function seenIn({ phase, done = [], begun = [], machines = {}, leads = oldId, ...more }: Situation) {
  const settings = config(phase, more.settings);
  const copies = machines.copies ?? (phase === "idle" ? [] : [copy]);
  const place = { allocation: "eipalloc-1", instance: leads };
  const aws = {
    ...{ natives: undefined as never, original: undefined, image: undefined, volumes: [] },
    ...{ old: "old" in machines ? machines.old : old, copies, place },
  };
  const all = Object.values(vmForkRunbook(settings)).flat();
  const marks = (side: "old" | "new", names: readonly string[]) =>
    all.flatMap((step) => (step.side === side && names.includes(step.name) ? [`shop/${step.name}`] : []));
  const factsOf = (side: "old" | "new"): Facts | Unreachable => {
    const own = more.facts?.[side];
    if (own instanceof Unreachable) return own;
    return new Map([
      ...Object.entries({ user: "0", databases: "shop", machine: side === "old" ? oldId : copyId }),
      ...settings.site.jobs.map((unit) => [`unit.${unit}`, "loaded"] as const),
      ["done", marks(side, done).join("\n")],
      ["begun", marks(side, [...done, ...begun]).join("\n")],
      ...Object.entries(own ?? {}),
    ]);
  };
  const seen: ForkSeen = { aws, server: copyServer(settings, copies[0]) };
  const told: Partial<Inspection> = {
    ...(aws.old?.State?.Name === "running" ? { old: factsOf("old") } : {}),
    ...(seen.server ? { new: factsOf("new") } : {}),
  };
  return { settings, seen, told, all, done };
}

/** What `check` says; the verify of every step that is done is fine, but for those told. */
function checked(situation: Situation, verify: Record<string, string> = {}) {
  const { settings, seen, told, all, done } = seenIn(situation);
  const verified = (side: "old" | "new"): Facts | Unreachable => {
    if (told[side] instanceof Unreachable) return told[side];
    if (!told[side]) return new Map();
    const own = all.filter((step) => step.side === side && done.includes(step.name));
    return new Map(own.map(({ name }) => [`verify.${name}`, verify[name] ?? "0 0.1 "]));
  };
  const verification = { old: verified("old"), new: verified("new") };
  return reportOf(forkFoundOf(settings, seen, told, verification, now));
}
const problems = ({ problems: all }: ReturnType<typeof checked>) =>
  all.map(({ severity, by, place, value }) => `${severity} by ${by}: ${place}: ${value}`);

function status(situation: Situation) {
  const { settings, seen, told } = seenIn(situation);
  return forkStatusOf(settings, seen, told, now);
}
const text = (situation: Situation, options = { steps: false, journal: 0 }) =>
  forkStatusText(status(situation), options);

const prepared = { phase: "prepared", done: steps("prepared") } satisfies Situation;
const address = {
  phase: "address",
  done: steps("prepared", "app", "address"),
  leads: copyId,
} satisfies Situation;
const stopped = "2026-11-20T00:00:00.000Z";
const finished = {
  phase: "finished",
  done: steps("prepared", "app", "address", "finished"),
  leads: copyId,
  machines: {
    old: instance(oldId, "10.0.1.10", { "changeover:stopped": stopped }, "stopped"),
    copies: [copy],
  },
} satisfies Situation;
const refusal = {
  place: "changeover:aws",
  rule: "opens EC2",
  value: "You are not authorized",
  remedy: "give AWS credentials",
  unknown: true,
};

/** EC2 could not be asked. */
function withoutAws(situation: Situation) {
  const { settings, told } = seenIn({ ...situation, machines: { old, copies: [] } });
  const seen: ForkSeen = { aws: refusal, server: undefined };
  return { settings, seen, told };
}

describe("check of a fork", () => {
  it.each([
    ["idle, where no copy is there yet", { phase: "idle" }, "idle"],
    ["prepared", prepared, "prepared"],
    ["app", { phase: "app", done: steps("prepared", "app") }, "app"],
    ["address", address, "address"],
    ["finished, where old is stopped", finished, "finished"],
  ] as const)("is fine at %s", (_, situation: Situation, reached) => {
    const report = checked(situation);
    expect(problems(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, exitCode: 0, phase: reached, servers: { reached } });
  });

  it("verifies what is done, each step on its side, and old's no more when old is stopped", () => {
    expect(checked(prepared).steps.map(({ side, step }) => `${side} ${step}`)).toEqual([
      "old read-only",
      "old fork-guard",
      "old snapshots",
      "new copy",
      "new inventory",
    ]);
    const { steps: looked } = checked(finished, { copy: "1 0.1 ! the key is gone" });
    expect(looked.every(({ side }) => side === "new")).toBe(true);
    // Its guard is removed at the end, and what it is known by with it.
    expect(looked.find(({ step }) => step === "copy")).toMatchObject({ outcome: "superseded" });
    expect(looked.find(({ step }) => step === "stop-old")).toMatchObject({ outcome: "ok" });
  });

  it("names a step that is not as it was left, with the way back of this runbook's phases", () => {
    const report = checked(address, { "fork-jobs-start": "1 0.2 ! shop-worker.service: should run" });
    expect(problems(report)).toEqual([
      "error by verify: new, step fork-jobs-start (address): shop-worker.service: should run",
    ]);
    expect(report.exitCode).toBe(1);
    expect(report.problems[0]!.remedy).toContain("on the copy: systemctl start the unit");
    expect(report.problems[0]!.remedy).toContain("pulumi config set changeover:phase app && pulumi up");
  });

  it("tells a step that is half done, and how far the servers are", () => {
    const report = checked({
      phase: "app",
      done: [...steps("prepared"), "writable"],
      begun: ["release"],
    });
    expect(problems(report)).toEqual([
      "error by mark: new, step release: it was begun, and has not ended well",
      "error by mark: changeover:phase: it is app, and they are at prepared, and 1 of 3 steps of app",
    ]);
    expect(report.problems[0]!.remedy).toContain("or go back: pulumi config set changeover:phase prepared");
    expect(report.exitCode).toBe(1);
  });

  it("could not find out where the copy does not answer, also when all is finished", () => {
    const mute = checked({ ...prepared, facts: { new: gone } });
    expect(problems(mute)).toEqual(["unknown by guard: new (10.0.1.77): ssh says: Connection timed out"]);
    expect(mute).toMatchObject({ ok: false, exitCode: 2 });
    expect(mute.problems[0]!.remedy).toContain("changeover:fork.abandon");
    expect(checkText({ ...mute, seconds: 1 })).toContain(
      "the settings say prepared, not all have told how far they are.",
    );
    const stranger = new Unreachable("Host key verification failed.");
    const [other] = checked({ ...prepared, facts: { new: stranger } }).problems;
    expect(other!.remedy).toContain("by the key of its tag changeover:host-key");
    expect(other!.remedy).not.toContain("changeover:new.");
    const late = checked({ ...finished, facts: { new: gone } });
    expect(late).toMatchObject({ exitCode: 2, servers: { reached: "finished" } });
    expect(late.problems[0]!.remedy).toContain("start old, lead the Elastic IP there");
    expect(late.problems[0]!.remedy).not.toContain("changeover:fork.abandon");
  });

  it("refuses the way back where users are, or were, on the copy, and what they have written is not known", () => {
    const place = "the copy: what users have written there cannot be found out";
    const back = { ...address, phase: "app" };
    expect(problems(checked({ ...back, facts: { new: gone } }))).toContain(`unknown by guard: ${place}`);
    const uncounted = { new: { "written.unknown": "yes" } };
    expect(problems(checked({ ...back, facts: uncounted }))).toContain(`unknown by guard: ${place}`);
    // The address came back by itself, when the site did not answer through it.
    const cameBack = { ...back, leads: oldId, done: [...steps("prepared", "app"), "fork-handover"] };
    const written = { new: { written: "4 rows of public.orders" } };
    expect(problems(checked({ ...cameBack, facts: written }))).toContain(
      "error by guard: the copy: 4 files and rows were written there since users are there (4 rows of public.orders)",
    );
    expect(problems(checked({ ...prepared, facts: { new: gone } }))).not.toContain(
      `unknown by guard: ${place}`,
    );
  });

  it("could not find out where EC2 tells no way to a copy that is there", () => {
    const keyless = instance(copyId, "10.0.1.77", {}, "pending");
    const report = checked({ ...prepared, machines: { copies: [keyless] } });
    expect(problems(report)).toEqual([
      `unknown by guard: new (${copyId}): it has no tag changeover:host-key, which has its key; it is pending`,
    ]);
    expect(report.exitCode).toBe(2);
    const reach = checked({
      ...prepared,
      settings: { fork: { ...completeFork.fork, reach: "public" } },
    });
    expect(problems(reach)[0]).toContain("EC2 knows no public address of it");
  });

  it("says who has the Elastic IP where it leads elsewhere, and where somebody has led it back", () => {
    const elsewhere = checked({ ...address, leads: "i-0aaaaaaaaaaaaaaaa" });
    expect(problems(elsewhere)).toEqual([
      "error by guard: Elastic IP 203.0.113.7: it leads to i-0aaaaaaaaaaaaaaaa",
    ]);
    const back = checked({ ...address, leads: oldId });
    expect(problems(back)).toEqual([
      "error by guard: Elastic IP 203.0.113.7: somebody has led it to old again",
    ]);
    expect(back.exitCode).toBe(1);
  });

  it("says that old is stopped where nobody of this fork has done it, and claims nothing of its marks", () => {
    const report = checked({
      ...prepared,
      machines: { old: instance(oldId, "10.0.1.10", {}, "stopped"), copies: [copy] },
    });
    expect(problems(report)).toEqual([`error by guard: instance ${oldId} (old): it is stopped`]);
    expect(report.exitCode).toBe(1);
  });

  it("does not offer a way back when old is stopped, and only warns of what is to be terminated too early", () => {
    const back = checked({ ...finished, phase: "address" });
    expect(problems(back)).toEqual([
      "error by guard: changeover:phase: move shop is finished, and old is stopped",
    ]);
    const ending = checked({
      ...finished,
      settings: { fork: { ...completeFork.fork, terminateOld: oldId, keepOldFor: "1 second" } },
    });
    expect(ending).toMatchObject({ exitCode: 0, servers: { reached: "finished" } });
  });

  it("could not find out where EC2 cannot be asked; what old says is told all the same", () => {
    const { settings, seen, told } = withoutAws({
      ...prepared,
      facts: { old: { "unit.shop-worker.service": "not-found" } },
    });
    const verification = { old: new Map([["verify.fork-guard", "0 0.1 "]]), new: new Map() };
    const report = reportOf(forkFoundOf(settings, seen, told, verification, now));
    expect(problems(report)).toEqual([
      "unknown by guard: changeover:aws: You are not authorized",
      "error by guard: old, shop-worker.service: it is not-found",
    ]);
    expect(report.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(["fork-guard ok"]);
    const well = reportOf(
      forkFoundOf(settings, seen, { old: withoutAws(prepared).told.old! }, verification, now),
    );
    expect(well).toMatchObject({ exitCode: 2, ok: false });
  });

  it("knows the window: users notice the address, and a site that is read-only", () => {
    const window = { timeZone: "UTC", days: ["sun"], from: "03:00", to: "04:00" };
    const report = checked({ ...prepared, phase: "address", settings: { window } });
    expect(problems(report)[0]).toContain("warning by window: changeover:window: now it is closed");
    expect(checked({ ...finished, settings: { window } }).problems).toEqual([]);
  });

  it("is told to people", () => {
    const report = checked(prepared, { "fork-guard": "1 0.2 ! \u001b[2Jthe guard: should start" });
    const lines = checkText({ ...report, seconds: 1.5 }).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "Move shop: the settings say prepared, the servers are at prepared.",
        "  prepared  old  fork-guard  WRONG  ?[2Jthe guard: should start",
        "4 of 5 steps verified as they should be, in 1.5 s. 1 thing is wrong.",
      ]),
    );
  });
});

describe("status of a fork", () => {
  it("at idle: old serves users, and no copy is there", () => {
    expect(status({ phase: "idle" })).toMatchObject({
      phase: { settings: "idle", servers: { reached: "idle" } },
      servers: {
        old: { instance: oldId, state: "running", address: "10.0.1.10", reachable: true, error: null },
        new: { instance: null, state: null, address: null, reachable: null, error: null },
      },
      users: { side: "old", elasticIp: "203.0.113.7", leads: oldId },
      rollback: { losesWrites: false },
      written: [],
      kept: null,
    });
    expect(text({ phase: "idle" })).toMatch(/^ {2}copy +none$/m);
  });

  it("at prepared: the copy's id, state and address, and the way back to idle, which loses nothing", () => {
    const report = status(prepared);
    expect(report.servers.new).toEqual({
      instance: copyId,
      state: "running",
      address: "10.0.1.77",
      reachable: true,
      error: null,
    });
    expect(report.rollback).toEqual({
      address: "10.0.1.10",
      command: "pulumi config set changeover:phase idle && pulumi up",
      losesWrites: false,
    });
  });

  it("at address: the way back loses what users have written on the copy, and nothing where that is nothing", () => {
    const written = { new: { written: "3 files in /srv/shop/uploads\n4 rows of public.orders" } };
    const report = status({ ...address, facts: written });
    expect(report).toMatchObject({
      users: { side: "new", leads: copyId },
      written: ["3 files in /srv/shop/uploads", "4 rows of public.orders"],
      rollback: { command: "pulumi config set changeover:phase app && pulumi up", losesWrites: true },
    });
    expect(text({ ...address, facts: written })).toContain(
      "3 files in /srv/shop/uploads, 4 rows of public.orders; refused until changeover:acceptLostWrites is 7",
    );
    expect(status(address).rollback.losesWrites).toBe(false);
    expect(text(address)).toContain("(users come to old, 10.0.1.10; loses nothing)");
  });

  it("with a copy that is mute: not known what was written there, and how far it is", () => {
    const mute = { ...address, facts: { new: gone } };
    expect(status(mute)).toMatchObject({
      servers: { new: { reachable: false, error: "Connection timed out", instance: copyId } },
      users: { side: "new" },
      written: null,
      rollback: { command: "pulumi config set changeover:phase app && pulumi up", losesWrites: true },
    });
    expect(text(mute)).toContain(
      "LEAVES ON THE COPY what users have written there; what that is, is not known",
    );
    expect(text(mute)).toContain("copy is MUTE  10.0.1.77: Connection timed out");
    expect(text(mute)).toMatch(/^ {2}phase +address by the settings$/m);
    expect(status({ ...prepared, facts: { new: gone } }).rollback.losesWrites).toBe(false);
  });

  it("with phase finished set, and a copy that is mute before that is reached: the way back is there", () => {
    const mute = { ...address, phase: "finished", facts: { new: gone } };
    expect(status(mute).rollback).toEqual({
      address: "10.0.1.10",
      command: "pulumi config set changeover:phase app && pulumi up",
      losesWrites: true,
    });
    expect(text({ ...finished, facts: { new: gone } })).toMatch(/^ {2}phase +finished$/m);
  });

  it("where what was written cannot be counted: that is not nothing", () => {
    const unknown = { ...address, facts: { new: { "written.unknown": "yes" } } };
    expect(status(unknown)).toMatchObject({ written: null, rollback: { losesWrites: true } });
  });

  it("where somebody has changed the tag that says since when old is stopped: not known how long it is kept", () => {
    const old = instance(oldId, "10.0.1.10", { "changeover:stopped": "" }, "stopped");
    const odd = { ...finished, machines: { old, copies: [copy] } };
    expect(status(odd)).toMatchObject({ kept: null, phase: { servers: { reached: "finished" } } });
    expect(
      checked({ ...odd, settings: { fork: { ...completeFork.fork, terminateOld: oldId } } }),
    ).toMatchObject({
      problems: [{ place: "changeover:fork.terminateOld", value: "this move has not stopped it yet" }],
    });
  });

  it("at finished: since when old is stopped, until when it is kept, and no way back", () => {
    const report = status(finished);
    expect(report).toMatchObject({
      phase: { servers: { reached: "finished" } },
      servers: { old: { state: "stopped", reachable: null, error: null } },
      users: { side: "new" },
      rollback: { address: "", command: "", losesWrites: false },
      kept: { stoppedAt: "2026-11-20T00:00:00Z", until: "2026-12-04T00:00:00Z" },
    });
    expect(report.steps.every(({ state }) => state === "done")).toBe(true);
    expect(text(finished)).toContain(
      `${oldId}, stopped, 10.0.1.10; stopped since 2026-11-20 00:00:00 UTC, kept until 2026-12-04 00:00:00 UTC`,
    );
    const over = { ...finished, settings: { fork: { ...completeFork.fork, keepOldFor: "1 hour" } } };
    expect(text(over)).toContain("it may go now (changeover:fork.terminateOld)");
  });

  it("where the Elastic IP leads elsewhere: neither serves users", () => {
    const elsewhere = { ...address, leads: "i-0aaaaaaaaaaaaaaaa" };
    expect(status(elsewhere).users).toMatchObject({ side: "elsewhere", leads: "i-0aaaaaaaaaaaaaaaa" });
    expect(text(elsewhere)).toContain(
      "NEITHER OLD NOR THE COPY SERVES THEM: Elastic IP 203.0.113.7 leads to i-0aaaaaaaaaaaaaaaa",
    );
  });

  it("where EC2 cannot be asked: who serves users is not known, and what old says is there", () => {
    const { settings, seen, told } = withoutAws(prepared);
    const report = forkStatusOf(settings, seen, told, now);
    expect(report).toMatchObject({
      users: { side: "unknown", leads: null, error: "You are not authorized" },
      servers: { old: { reachable: true, state: null }, new: { reachable: false, instance: null } },
      written: null,
    });
    expect(report.steps.find(({ step }) => step === "fork-guard")).toMatchObject({ state: "done" });
    const shown = forkStatusText(report, { steps: false, journal: 0 });
    expect(shown).toContain("it is not known who serves them: You are not authorized");
    expect(shown).toMatch(/^ {2}copy +it is not known whether there is one$/m);
    expect(shown).not.toContain("MUTE");
    expect(report.rollback.command).toContain("changeover:phase idle");
  });

  it("tells each journal's own lines: the copy's disk has old's, too", () => {
    const line = (at: string, step: string) => `2026-11-22T02:0${at}:00Z\t${step}\tdo\tdone\t1.0 s`;
    const olds = [line("0", "read-only"), line("1", "fork-guard")];
    const journals = {
      old: { journal: [...olds, line("2", "snapshots")].join("\n") },
      new: { journal: [...olds, line("5", "copy")].join("\n") },
    };
    const told = ({ journal }: ReturnType<typeof status>) =>
      journal.map(({ side, step }) => `${side} ${step}`);
    expect(told(status({ ...prepared, facts: journals }))).toEqual([
      "old read-only",
      "old fork-guard",
      "old snapshots",
      "new copy",
    ]);
    expect(told(status({ ...finished, facts: { new: journals.new } }))).toEqual(["new copy"]);
    const shown = text({ ...prepared, facts: journals }, { steps: true, journal: 1 });
    expect(shown).toMatch(/^ {2}2026-11-22 02:05:00 +new +copy +do +done +1\.0 s$/m);
    expect(shown).toMatch(/^ {2}prepared +new +inventory +done/m);
  });
});

describe("watch of a fork", () => {
  const page = { port: 443, path: "/", marker: "", status: 200, maintenance: "" };
  const shown = (watched: ReturnType<typeof watchedFork>) =>
    aims(["shop.example.org"], watched.places(), [], page).map(
      ({ target, via }) => `${target.address} ${via.join("+")}`,
    );

  it("asks at the Elastic IP, at old, and at the copy as soon as there is one", async () => {
    let copies: Instance[] = [];
    const watched = watchedFork(config("idle"), () => Promise.resolve(copies));
    expect(shown(watched)).toEqual(["203.0.113.7 Elastic IP", "10.0.1.10 old"]);
    copies = [copy];
    await watched.ask();
    expect(shown(watched)).toEqual(["203.0.113.7 Elastic IP", "10.0.1.10 old", "10.0.1.77 new"]);
  });

  it("tells that EC2 gives no answer, and goes on with the copy it knows", async () => {
    let works = true;
    const watched = watchedFork(config("prepared"), () =>
      works ? Promise.resolve([copy]) : Promise.reject(new Error("You are not authorized\nat once")),
    );
    await watched.ask();
    works = false;
    expect(await watched.ask()).toContainEqual(
      expect.objectContaining({ server: "EC2", name: "shop-copy", error: "You are not authorized" }),
    );
    expect(shown(watched)).toContain("10.0.1.77 new");
  });

  it("counts every failure of the Elastic IP; a machine's own address may be out of reach from here", () => {
    const tally = new Tally(watchedFork(config("idle"), () => Promise.resolve([])).mayWait);
    const failure = { at: 0, name: "n", latency: 1, status: null, marker: null, servedBy: null };
    const add = (address: string, via: string[]) =>
      tally.add({ ...failure, address, via, outcome: "failed", certificate: null, error: "ETIMEDOUT" })
        .counted;
    expect(add("203.0.113.7", ["Elastic IP"])).toBe("failed");
    expect(add("10.0.1.10", ["old"])).toBe("not yet");
    expect(add("10.0.1.77", ["new"])).toBe("not yet");
  });
});

describe("compare of a fork", () => {
  it("is refused, with what to use in its place; a server move is not", () => {
    expect(() => onlyServerMove("compare", config("idle"))).toThrow(
      /changeover:runbook: should be serverMove for 'changeover compare'.*but is vmFork\n +changeover check/,
    );
    expect(onlyServerMove("compare", parseConfig(complete)).runbook).toBe("serverMove");
  });
});
