/** The order that keeps two servers from doing one thing twice: Pulumi runs side by side whatever is not named as coming before. */
import { describe, expect, it } from "vitest";
import type { Step } from "../../components/step.ts";
import { parseConfig } from "../../stacks/config.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { complete } from "./settings.ts";

const { app } = serverMoveRunbook(parseConfig({ ...complete, site: { ...complete.site, monit: ["shop"] } }));

/** All that comes before a step of this phase. */
function before(name: string): string[] {
  const after = app.find((step: Step) => step.name === name)?.after ?? [];
  return [...new Set(after.flatMap((one) => [one, ...before(one)]))];
}

describe("in app", () => {
  it.each([
    ["monit-stop", "jobs-stop", "monit would start them again"],
    ["monit-stop", "cron-stop", "monit would start them again"],
    ["compare", "jobs-stop", "a difference is found while nothing has changed hands"],
    ["jobs-stop", "traffic", "no job runs on both"],
    ["cron-stop", "traffic", "no job runs on both"],
    ["deploys-old", "files-catch-up", "a deploy would not come over"],
    ["deploys-new", "traffic", "a deploy to new would be overwritten"],
    ["traffic", "jobs-start", "no job runs on both"],
    ["traffic", "cron-start", "no job runs on both"],
    ["jobs-start", "monit-start", "monit would start them first"],
    ["cron-start", "monit-start", "monit would start them first"],
  ])("%s comes before %s: %s", (first, then) => {
    expect(before(then)).toContain(first);
  });
});
