/** What stops a fork, by what its servers have told; and the scripts of its steps. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Facts, Unreachable } from "../../../components/facts/inspect.ts";
import { checkFinished, checkServers, checkWritten } from "../../../components/fork/guard.ts";
import { sharedForkSettings } from "../../../components/fork/steps.ts";
import { library } from "../../../components/script.ts";
import { stepScript } from "../../../components/step.ts";
import { parseForkConfig } from "../../../stacks/config.ts";
import { runbookProblems } from "../../../stacks/runbook.ts";
import { vmForkRunbook } from "../../../stacks/vmFork.ts";
import { completeFork } from "./settings.ts";

const settings = (fork: object = {}, more: object = {}) =>
  parseForkConfig({ ...completeFork, ...more, fork: { ...completeFork.fork, ...fork } });
const facts: [string, string][] = [
  ["user", "0"],
  ["machine", "i-0123456789abcdef0"],
  ["unit.shop-worker.service", "loaded"],
  ["unit.shop-nightly.timer", "loaded"],
  ["databases", "shop"],
];
const at = { old: settings().old };

/** What is found where some facts are others. */
function found(changed: [string, string][], fork: object = {}, copy?: Facts | Unreachable) {
  return checkServers(settings(fork), {
    old: new Map([...facts, ...changed]),
    copy,
    at: { ...at, new: at.old },
  });
}

describe("a fork", () => {
  it("goes on where all is well", () => {
    expect(found([])).toEqual([]);
  });

  it.each<[string, [string, string][], object]>([
    ["old", [["user", "1000"]], {}],
    ["old", [["tools", "openssl"]], {}],
    ["changeover:old.address", [["machine", "i-0fedcba9876543210"]], {}],
    ["old, shop-worker.service", [["unit.shop-worker.service", "not-found"]], {}],
    ["old, /srv/shop/uploads", [["missing./srv/shop/uploads", "yes"]], {}],
    ["changeover:fork.database.where", [["databases", "other"]], {}],
    ["changeover:fork.database.where", [], { database: { where: "elsewhere" } }],
    ["changeover:fork.database.where", [], { database: { where: "none" } }],
  ])("is stopped: %s", (place, changed, fork) => {
    const all = found(changed, fork);
    expect(all).toMatchObject([{ place }]);
    expect(all[0]!.warning).toBeUndefined();
    expect(all[0]!.remedy).not.toBe("");
  });

  it("goes back only with what users have written on the copy, or with consent", () => {
    const written = ["3 files in /srv/shop/uploads", "4 rows of public.orders"];
    expect(checkWritten([])).toEqual([]);
    expect(checkWritten(written, 7)).toEqual([]);
    expect(checkWritten(undefined, 7)).toMatchObject([
      { value: "what users have written there cannot be found out" },
    ]);
    expect(checkWritten(written, 6)).toMatchObject([
      {
        value:
          "7 files and rows were written there since users are there (3 files in /srv/shop/uploads, 4 rows of public.orders)",
        remedy: expect.stringContaining("pulumi config set changeover:acceptLostWrites 7") as unknown,
      },
    ]);
  });

  it("is stopped where old cannot be reached, and told of a copy that cannot", () => {
    const gone = new Unreachable("Connection refused");
    expect(checkServers(settings(), { old: gone, copy: undefined, at })).toMatchObject([
      { place: "old (10.0.1.10)" },
    ]);
    expect(found([], {}, gone)).toMatchObject([{ warning: true }]);
  });

  it("is told of a release that cannot be taken back, where old and its copy have one database", () => {
    const fork = { database: { where: "elsewhere" }, release: [{ command: "shop migrate" }] };
    expect(found([["databases", ""]], fork)).toMatchObject([
      { place: "changeover:fork.release", value: '"shop migrate" has no way back', warning: true },
    ]);
  });

  it("stays finished, and terminates old only when its time is over", () => {
    const hour = 3_600_000;
    const finished = (fork: object) => settings({ keepOldFor: "1 hour", ...fork }, { phase: "finished" });
    const ending = finished({ terminateOld: "i-0123456789abcdef0" });
    expect(checkFinished(settings(), true, 0, hour)).toMatchObject([{ place: "changeover:phase" }]);
    expect(checkFinished(finished({}), true, 0, 1)).toEqual([]);
    expect(checkFinished(ending, true, 0, hour - 1000)).toMatchObject([{ value: "1 s are left" }]);
    expect(checkFinished(ending, true, 0, hour)).toEqual([]);
    expect(checkFinished(ending, false, undefined, hour)).toMatchObject([
      { value: "this move has not stopped it yet" },
    ]);
  });
});

describe("the runbook of a fork", () => {
  const runbook = vmForkRunbook(settings());
  const steps = Object.values(runbook).flat();

  it("keeps the rules, and its steps have what they need", () => {
    expect(runbookProblems(runbook)).toEqual([]);
    for (const { name, title, back, deadlineSeconds } of steps) {
      expect(title, name).not.toBe("");
      expect(back, name).not.toBe("");
      expect(deadlineSeconds, name).toBeGreaterThan(0);
    }
  });

  it.each(steps.map((step) => [step.name, step] as const))(
    "%s: no function hides another one, and no setting is missing",
    (_, step) => {
      const parts = ["do.sh", "undo.sh", "verify.sh"].map((file) => new URL(file, step.folder));
      const names = [...library, ...(step.shared ?? []), ...parts]
        .filter((file) => existsSync(file))
        .flatMap((file) =>
          [...readFileSync(file, "utf8").matchAll(/^([a-z_]+)\(\)/gm)].map(([, name]) => name),
        );
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
      const context = {
        move: "shop",
        access: { old: at.old, new: at.old },
        settings: sharedForkSettings(settings()),
        retain: false,
      };
      const script = stepScript(context, step, 1);
      const own = script.slice(script.indexOf("check_only() {"));
      const used = new Set(
        [...own.matchAll(/\$\{?([A-Z][A-Z_]+)\b(?!:-)/g)]
          .map(([, name]) => name!)
          .filter((name) => name.length > 2),
      );
      const unknown = [...used].filter(
        (name) => !new RegExp(`(^|\\b(readonly|local|export) .*|[\\s;])${name}=`, "m").test(script),
      );
      const ofBash = ["BASH_COMMAND", "PATH", "EPOCHREALTIME", "SECONDS", "BASH_SOURCE", "SERVICE_RESULT"];
      expect(unknown.filter((name) => !ofBash.includes(name))).toEqual([]);
    },
  );
});
