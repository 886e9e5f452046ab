#!/usr/bin/env node
/**
 * The command `changeover`: looks at a move from the operator's machine, with the settings of the stack that is selected. It
 * changes nothing. Ends with 0 where all is well, with 1 where something is wrong, with 2 where it could not be found out.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { compareDatabases } from "../components/database/compare/compare.ts";
import { ComparisonError } from "../components/database/compare/reader.ts";
import { renderReport } from "../components/database/compare/report.ts";
import { readAccess } from "../stacks/access.ts";
import { ConfigError, type ForkConfig, type MoveConfig } from "../stacks/config.ts";
import { check } from "./check/check.ts";
import { checkText } from "./check/text.ts";
import { toMilliseconds } from "./durations.ts";
import { onlyServerMove, readStack, type StackChoice } from "./stack.ts";
import { status } from "./status/status.ts";
import { tellWaiting } from "./text.ts";
import { runWatch, type WatchCommandOptions } from "./watch/run.ts";

const program = new Command("changeover")
  .description(
    "Looks at a move of a site, or at a release on a copy of its machine, with the settings of the stack that is selected. It changes nothing.",
  )
  .option("-s, --stack <name>", "the stack; default: the one that is selected")
  .option("-C, --cwd <folder>", "the folder of Pulumi.yaml; default: this one")
  .showHelpAfterError()
  .exitOverride();

const json = ["--json", "for programs; the keys are in docs/command.md"] as const;

program
  .command("check")
  .description(
    "every guard of preview, and the verify of every step that is done, on both servers; of a fork at EC2, too",
  )
  .option(...json)
  .action(async (options: { json?: boolean }) => {
    const report = await waiting("looking at both servers", check);
    print(options.json ? JSON.stringify(report, undefined, 2) : checkText(report));
    process.exitCode = report.exitCode;
  });

program
  .command("status")
  .description(
    "who serves users, how far the move is, the way back, replication, names; of a fork its machines",
  )
  .option("--steps", "every step, with its time")
  .option("--journal <lines>", "so many lines of the journals", whole, 5)
  .option(...json)
  .action(async (options: { json?: boolean; steps?: boolean; journal: number }) => {
    const { report, text, exitCode } = await waiting("asking both servers", status);
    const { steps = false, journal } = options;
    print(options.json ? JSON.stringify(report, undefined, 2) : text({ steps, journal }));
    process.exitCode = exitCode;
  });

program
  .command("watch")
  .description("probes the site (its first check) at every address, from here, until Ctrl-C")
  .addOption(duration("--interval", "how often each address is probed", 20).default(1000, "1 s"))
  .addOption(
    duration("--deadline", "for how long one probe may stay without an answer").default(10_000, "10 s"),
  )
  .addOption(duration("--for", "ends by itself"))
  .option("--port <number>", "the port of HTTPS", whole, 443)
  .option("--ca <file>", "certificates of authorities (PEM) in place of this system's own")
  .option(...json)
  .action(async (options: WatchCommandOptions) => {
    process.exitCode = await runWatch(await readStack(program.opts<StackChoice>()), options);
  });

program
  .command("compare")
  .description("the database on old and new, row by row")
  .action(async () => {
    const settings = onlyServerMove("compare", await readStack(program.opts<StackChoice>()));
    const report = await compareDatabases(settings, await readAccess(settings), {
      onTable: ({ name, status, seconds }) =>
        process.stderr.write(`${name}: ${status} (${seconds.toFixed(1)} s)\n`),
    });
    print(renderReport(report));
    process.exitCode = report.equal ? 0 : 1;
  });

/** Reads the settings, and does what takes a while. */
async function waiting<T>(what: string, work: (settings: MoveConfig | ForkConfig) => Promise<T>): Promise<T> {
  const settings = await readStack(program.opts<StackChoice>());
  const end = tellWaiting(what);
  try {
    return await work(settings);
  } finally {
    end();
  }
}

/** An option that is a duration, in milliseconds. */
function duration(name: string, description: string, least?: number): Option {
  return new Option(`${name} <duration>`, description).argParser((text) => toMilliseconds(text, least));
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("should be a whole number.");
  return Number(text);
}

/** What is wrong with the settings, in the form of `check --json`. */
function settingsJson({ problems }: ConfigError): string {
  return JSON.stringify({
    ok: false,
    exitCode: 2,
    problems: problems.map(({ key, problem, remedy }) => ({
      severity: "unknown",
      by: "settings",
      place: key,
      rule: "is right, so that the servers can be asked",
      value: problem,
      remedy,
    })),
  });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
  if (error instanceof ConfigError && process.argv.includes("--json")) print(settingsJson(error));
  else if (error instanceof ConfigError || error instanceof ComparisonError)
    process.stderr.write(`${error.message}\n`);
  else if (!(error instanceof CommanderError)) process.stderr.write(`${(error as Error).stack}\n`);
}
