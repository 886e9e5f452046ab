/**
 * npm run compare [-- --stack NAME] [--cwd FOLDER]: compares the database on old and new, row by row, with the settings of the
 * stack that is selected. Ends with 0 where they are equal, with 1 where they differ, with 2 where it could not be found out.
 */
import * as pulumi from "@pulumi/pulumi";
import { execa } from "execa";
import { compareDatabases } from "../components/database/compare/compare.ts";
import { ComparisonError } from "../components/database/compare/reader.ts";
import { renderReport } from "../components/database/compare/report.ts";
import { readAccess } from "../stacks/access.ts";
import { ConfigError, type MoveConfig, readConfig } from "../stacks/config.ts";

/** How long `pulumi config` may take, in milliseconds: the state may be far away. */
const configDeadline = 60_000;

/** What `pulumi config --json` tells of one setting. */
interface ShownSetting {
  value?: string;
  secret: boolean;
}

/** The settings of the selected stack, secrets in clear. Arguments go to `pulumi config`. */
async function readStack(args: readonly string[]): Promise<MoveConfig> {
  const run = await execa("pulumi", ["config", "--json", "--show-secrets", "--non-interactive", ...args], {
    reject: false,
    timeout: configDeadline,
    stderr: ["pipe", "inherit"],
  });
  if (run.exitCode !== 0)
    throw new ConfigError([
      {
        key: "the stack",
        problem: `should be selected, but its settings cannot be read: pulumi config ended with ${run.exitCode ?? run.code ?? "no answer"}`,
        remedy: "run this in the folder of Pulumi.yaml, after: pulumi stack select NAME",
      },
    ]);
  const shown = Object.entries(JSON.parse(run.stdout) as Record<string, ShownSetting>);
  const secrets = shown.filter(([, { secret }]) => secret).map(([key]) => key);
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secrets);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(shown.map(([key, { value }]): [string, string] => [key, value ?? ""])),
  );
  return readConfig();
}

try {
  const settings = await readStack(process.argv.slice(2));
  const report = await compareDatabases(settings, await readAccess(settings), {
    onTable: ({ name, status, seconds }) =>
      process.stderr.write(`${name}: ${status} (${seconds.toFixed(1)} s)\n`),
  });
  process.stdout.write(`${renderReport(report)}\n`);
  process.exitCode = report.equal ? 0 : 1;
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof ComparisonError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
