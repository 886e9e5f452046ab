/** The settings of the stack that is selected, as `pulumi up` would read them. */
import * as pulumi from "@pulumi/pulumi";
import { execa } from "execa";
import { busy } from "../components/busy.ts";
import { ConfigError, type ForkConfig, type MoveConfig, readConfig } from "../stacks/config.ts";

/** How long `pulumi config` may take, in milliseconds: the state may be far away. */
const configDeadline = 60_000;

/** Which stack, and the folder of Pulumi.yaml where it is not this one. */
export interface StackChoice {
  stack?: string;
  cwd?: string;
}

/** What `pulumi config --json` tells of one setting. */
interface ShownSetting {
  value?: string;
  secret: boolean;
}

/**
 * Reads the settings, secrets in clear.
 * @throws ConfigError when there is no such stack, or with everything that is wrong with its settings.
 */
export async function readStack({ stack, cwd }: StackChoice): Promise<MoveConfig | ForkConfig> {
  const choice = [...(stack ? ["--stack", stack] : []), ...(cwd ? ["--cwd", cwd] : [])];
  const [name, settings] = await Promise.all([
    askPulumi(["stack", "--show-name", ...choice]),
    askPulumi(["config", "--json", "--show-secrets", ...choice]),
  ]);
  const shown = Object.entries(JSON.parse(settings) as Record<string, ShownSetting>);
  const secrets = shown.filter(([, { secret }]) => secret).map(([key]) => key);
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secrets);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(shown.map(([key, { value }]): [string, string] => [key, value ?? ""])),
  );
  return readConfig(undefined, name.trim());
}

/**
 * The settings, where a command makes sense for a move between two servers alone.
 * @throws ConfigError of any other runbook.
 */
export function onlyServerMove(command: string, settings: MoveConfig | ForkConfig): MoveConfig {
  if (settings.runbook === "serverMove") return settings;
  throw new ConfigError([
    {
      key: "changeover:runbook",
      problem: `should be serverMove for 'changeover ${command}', which sets old's database against new's, but is ${settings.runbook}`,
      remedy: "changeover check   (it looks at old and its copy)",
    },
  ]);
}

/** What pulumi prints; what it says is shown where it fails. */
async function askPulumi(args: readonly string[]): Promise<string> {
  const run = await execa("pulumi", [...args, "--non-interactive"], {
    reject: false,
    timeout: configDeadline,
  });
  if (run.exitCode === 0) return run.stdout;
  throw new ConfigError([
    {
      key: "the stack",
      problem: `should be selected, but its settings cannot be read: pulumi ${args[0]} ended with ${run.exitCode ?? run.code ?? "no answer"}${run.timedOut ? ` within ${configDeadline / 1000} s${busy()}` : ""}${run.stderr ? `: ${run.stderr.trim()}` : ""}`,
      remedy: "run this in the folder of Pulumi.yaml, after: pulumi stack select NAME",
    },
  ]);
}
