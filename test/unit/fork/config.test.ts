/** The settings of a fork: what is read, and every rule of its own. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readFileSync } from "node:fs";
import { ConfigError, type ConfigProblem, parseForkConfig } from "../../../stacks/config.ts";
import { completeFork } from "./settings.ts";

type Raw = Record<string, unknown>;

/** The complete settings with some changed, by their paths; undefined takes one away. */
function settings(...changes: [string, unknown][]): Raw {
  const copy = structuredClone(completeFork) as Raw;
  for (const [path, value] of changes) {
    const parts = path.split(".");
    const last = parts.pop()!;
    const inside = parts.reduce((object, part) => (object[part] ??= {}) as Raw, copy);
    if (value === undefined) delete inside[last];
    else inside[last] = value;
  }
  return copy;
}

function problems(raw: Raw): readonly ConfigProblem[] {
  try {
    parseForkConfig(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("the settings of a fork", () => {
  it("are read with their defaults, durations in seconds", () => {
    expect(parseForkConfig(completeFork)).toMatchObject({
      old: { port: 22 },
      fork: {
        reach: "private",
        database: { where: "machine", port: 5432 },
        readOnly: { user: "root", deadline: 60 },
        release: [{ user: "shop", deadline: 600 }],
        inventory: [{ file: "~/ansible/hosts" }],
        snapshotDeadline: 7200,
        bootDeadline: 900,
        keepOldFor: 1_209_600,
      },
      aws: { deadline: 30 },
      stepDeadline: 300,
    });
  });

  it("leave out what a server move alone has, where that is empty or a default", () => {
    const { config } = parse(readFileSync(new URL("../../../Pulumi.yaml", import.meta.url), "utf8")) as {
      config: Record<string, { default: unknown }>;
    };
    const defaults = Object.entries(config).flatMap(([key, { default: value }]) =>
      ["new", "database", "dns", "operator", "holdBudget"].includes(key) ? [[key, value]] : [],
    );
    expect(parseForkConfig({ ...(Object.fromEntries(defaults) as Raw), ...completeFork })).toEqual(
      parseForkConfig(completeFork),
    );
  });

  it.each<[string, string, ...[string, unknown][]]>([
    ["changeover:aws.elasticIp", "the Elastic IP address", ["aws.elasticIp", undefined]],
    ["changeover:fork.database.where", "one of machine, elsewhere, none", ["fork.database", undefined]],
    ["changeover:fork.database.name", "the database's name", ["fork.database.name", undefined]],
    [
      "changeover:fork.readOnly",
      "should be set where the database is on the machine",
      ["fork.readOnly", undefined],
    ],
    ["changeover:old.address", "not its Elastic IP", ["old.address", "203.0.113.7"]],
    [
      "changeover:fork.terminateOld",
      "the one instance that this may terminate",
      ["phase", "finished"],
      ["fork.terminateOld", "i-0fedcba9876543210"],
    ],
    [
      "changeover:fork.terminateOld",
      "should not be set before phase finished",
      ["fork.terminateOld", "i-0123456789abcdef0"],
    ],
    ["changeover:site.jobs[0]", "a systemd unit", ["site.jobs", ["supervisor:shop"]]],
    ["changeover:phase", "one of idle, prepared, app, address, finished", ["phase", "dns"]],
    ["changeover:database", "is not a setting", ["database", { name: "shop" }]],
    ["changeover:site.web", "is not a setting", ["site.web", "shop-web.service"]],
    ["changeover:fork.hostnam", "did you mean hostname?", ["fork.hostnam", "x"]],
    ["changeover:privateKeyFile", "not be set together with privateKey", ["privateKey", "KEY"]],
  ])("%s: %s", (key, problem, ...changes) => {
    const found = problems(settings(...changes));
    expect(found.map((one) => one.key)).toEqual([key]);
    expect(found[0]!.problem).toContain(problem);
    expect(found[0]!.remedy).not.toBe("");
  });

  it("tell all that is wrong at once", () => {
    const raw = settings(
      ["old.address", "203.0.113.7"],
      ["fork.readOnly", undefined],
      ["aws.region", "mars"],
    );
    expect(problems(raw)).toHaveLength(3);
  });
});
