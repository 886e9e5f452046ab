/** docs/command.md names every key that programs get. */
import { readFileSync } from "node:fs";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { reportOf } from "../../../cli/check/report.ts";
import { forkStatusOf } from "../../../cli/status/fork.ts";
import { statusOf } from "../../../cli/status/report.ts";
import { parseConfig, parseForkConfig } from "../../../stacks/config.ts";
import { serverMoveRunbook } from "../../../stacks/serverMove.ts";
import { completeFork } from "../fork/settings.ts";
import { complete } from "../settings.ts";

const docs = readFileSync(new URL("../../../docs/command.md", import.meta.url), "utf8");
const section = (command: string) =>
  docs.split(/^## /m).find((text) => text.startsWith(`\`${command} --json\``))!;
const settings = parseConfig(complete);
const runbook = serverMoveRunbook(settings);
const steps = ["database-follow", "database-switchover"].map((step) => `shop/${step}`).join("\n");
const nothing = {
  old: new Map(),
  new: new Map([
    ["done", steps],
    ["journal", "2026-11-22T02:00:00Z\tsite\tdo\tdone\t1.0 s"],
    ["replication.feeds", JSON.stringify([{ slot: "changeover_shop_to_old", bytes: 1, behind: 1 }])],
  ]),
};

/** A fork that is finished, and what EC2 tells of it. */
const fork = parseForkConfig(completeFork);
const Tags = [{ Key: "changeover:stopped", Value: "2026-11-22T02:00:00Z" }];
const aws = {
  ...{ natives: undefined as never, original: undefined, copies: [], image: undefined, volumes: [] },
  old: { InstanceId: fork.aws.old, State: { Name: "stopped" as const }, Tags },
  place: { allocation: "eipalloc-1" },
};

/** The keys of an object and of what is in it. */
function keys(value: unknown): string[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap(keys);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) => [key, ...keys(inside)]);
}

describe("docs/command.md", () => {
  it.each([
    [
      "check",
      reportOf({
        settings,
        runbook,
        inspection: nothing,
        verification: { ...nothing, new: new Map([["verify.site", "1 1 ! x"]]) },
        guards: [],
        names: [],
        window: [],
      }),
    ],
    [
      "status",
      statusOf(
        settings,
        runbook,
        nothing,
        [{ server: "s", name: "n", type: "A", ttl: 1, data: [], leads: "old" }],
        Temporal.Now.instant(),
      ),
    ],
    ["status", forkStatusOf(fork, { aws, server: undefined }, { new: nothing.new }, Temporal.Now.instant())],
  ] as const)("names every key of %s --json", (command, report) => {
    const missing = keys(report).filter((key) => !section(command).includes(`\`${key}\``));
    expect(keys(report).length).toBeGreaterThan(15);
    expect(missing).toEqual([]);
  });
});
