// A part of a move, that of the names or that of AWS: the real look, rules, steps and order, with a folder on this machine in place of
// what stands on new.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { placing } from "../../../components/dns/dns.ts";
import type { Facts } from "../../../components/facts/inspect.ts";
import { describe } from "../../../components/guards/guards.ts";
import { assignments } from "../../../components/script.ts";
import type { placeStep, Step } from "../../../components/step.ts";
import { parseConfig } from "../../../stacks/config.ts";
import { lookAtAws } from "../../../stacks/aws.ts";
import { goesAhead } from "../../../stacks/progress.ts";
import { lookAtNames } from "../../../stacks/names.ts";
import { placeMark, placeRunbook, type Runbook } from "../../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../../stacks/serverMove.ts";

const config = new pulumi.Config();
const folder = config.require("folder");
const settings = parseConfig(config.requireObject("settings"));

/** What an inspection of new would find. */
function factsOfNew(): Facts {
  const steps = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : [];
  const has = (mark: string) =>
    steps
      .filter(({ name }) => existsSync(join(folder, name, mark)))
      .map(({ name }) => `${settings.move}/${name}`)
      .join("\n");
  const text = (step: string, file: string): [string, string][] => {
    const path = join(folder, step, file);
    return existsSync(path)
      ? [[file === "until" ? `until.${step}` : "dns.records", readFileSync(path, "utf8").trim()]]
      : [];
  };
  return new Map([
    ["done", has("done")],
    ["begun", has("begun")],
    ...steps.flatMap(({ name }) => [...text(name, "until"), ...text(name, "records")]),
  ]);
}

/** A step that runs here; each tells of its do and its undo in one journal. */
const placeHere: typeof placeStep = (_context, step, _phase, dependsOn) => {
  const state = join(folder, step.name);
  const journal = join(folder, "journal");
  const keep = new URL("../../../components/shell/keep.sh", import.meta.url);
  const files = [keep, ...(step.shared ?? []), new URL("do.sh", step.folder)].map(
    (url) => `source ${fileURLToPath(url)}`,
  );
  const doing = /^dns-/.test(step.name) ? [...files, "do_step"] : [];
  return new local.Command(
    step.name,
    {
      create: "bash -s",
      stdin: [
        "set -eu",
        assignments({ ROOT: folder, STATE: state, ...step.settings }),
        'mkdir -p "$STATE"; : >"$STATE/begun"',
        ...doing,
        `: >"$STATE/done"; echo "do ${step.name}" >>${journal}`,
      ].join("\n"),
      update: ":",
      delete: `rm -rf ${state}; echo "undo ${step.name}" >>${journal}`,
    },
    { dependsOn: [...dependsOn], retainOnDelete: settings.phase === "finished" },
  ) as never;
};

const database: Step = {
  name: "database",
  side: "new",
  title: "",
  back: "",
  folder: new URL("file:///nowhere/"),
  deadlineSeconds: 60,
};

/** What of a move is tried here: the names, or what is at AWS. */
function partOf(whole: Runbook): Runbook {
  const part = (steps: readonly Step[]) =>
    steps.filter(({ name }) => (settings.aws ? /^(snapshots$|firewall-|elastic-ip$)/ : /^dns-/).test(name));
  return {
    prepared: part(whole.prepared),
    app: [],
    database: [database],
    dns: part(whole.dns),
    finished: part(whole.finished),
  };
}

const inspection = { old: new Map(), new: factsOfNew() };
const isAhead = () => goesAhead(partOf(serverMoveRunbook(settings)), settings, inspection);
const [names, aws] = await Promise.all([
  lookAtNames(settings, inspection),
  lookAtAws(settings, inspection, isAhead),
]);
const findings = [...names.findings, ...aws.findings];
for (const finding of findings.filter(({ warning }) => warning)) await pulumi.log.warn(describe(finding));
const failed = findings.filter(({ warning }) => !warning);
if (failed.length > 0) throw new pulumi.RunError(failed.map(describe).join("\n"));

const runbook = partOf(serverMoveRunbook(settings, names.run, aws.run));
if (names.run?.ahead === undefined && names.run) placing(names.run)([]);
const placed = placeRunbook(runbook, settings.phase, {} as never, undefined, placeHere);
placeMark(settings.move, settings.phase, [...placed.values()]);
