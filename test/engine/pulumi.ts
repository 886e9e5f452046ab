// A stack of the real Pulumi engine in a temporary folder, for tests: nothing is written into the program's own folder.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { execa, type ResultPromise } from "execa";
import { stepSeconds, timed } from "../../harness/timing.ts";
import { chosen, usesInstalled } from "./real.ts";

const checkout = resolve(import.meta.dirname, "../..");

export interface StackOptions {
  /** Folder of the program: its Pulumi.yaml, index.ts and node_modules (the checkout's are used where it has none). */
  readonly program: string;
  readonly stack?: string;
  /** Settings as in Pulumi.<stack>.yaml, of any depth; a secret is what `seal` returns. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Goes before `pulumi`, to run it elsewhere: ["lab/run"]. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A folder that a stack was saved in: it goes on from there, with its secrets. */
  readonly from?: string;
}

export interface Counts {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly replace: number;
  readonly same: number;
}

export interface RunResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order they came. */
  readonly all: string;
  readonly changes: Counts;
}

export interface StackState {
  readonly resources: readonly StateResource[];
  readonly pendingOperations: readonly unknown[];
  /** The state as it lies in the backend. */
  readonly text: string;
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** The URNs of what it comes after. */
  readonly dependencies?: readonly string[];
}

export interface Sealed {
  readonly secure: string;
}

export interface TestStack {
  /** Where the program runs: links to its files, and the stack's settings. */
  readonly folder: string;
  /** Replaces the given settings, keeping the others; `undefined` takes one away. */
  configure: (settings: Readonly<Record<string, unknown>>) => Promise<void>;
  /** A secret for the settings, encrypted for this stack. */
  seal: (value: string) => Promise<Sealed>;
  preview: (...flags: string[]) => Promise<RunResult>;
  up: (...flags: string[]) => Promise<RunResult>;
  destroy: (...flags: string[]) => Promise<RunResult>;
  refresh: (...flags: string[]) => Promise<RunResult>;
  /** Releases the lock that a killed run left. */
  cancel: () => Promise<RunResult>;
  outputs: () => Promise<Record<string, unknown>>;
  exportState: () => Promise<StackState>;
  /** Starts any pulumi command of this stack without waiting for it, to kill it for example. */
  start: (...args: string[]) => ResultPromise<{ reject: false; all: true }>;
  /** Starts any command in the stack's folder, where `pulumi` finds the stack without being told. */
  execute: (...command: string[]) => ResultPromise<{ reject: false; all: true }>;
  /** Writes the state, and what its secrets need, into an empty folder. */
  save: (folder: string) => Promise<void>;
  /** Deletes the stack's folder and state. What it manages stays. */
  remove: () => Promise<void>;
}

/** Creates an empty stack with its own backend of files. */
export async function createStack(options: StackOptions): Promise<TestStack> {
  const { stack = "test", prefix = [] } = options;
  const home = await mkdtemp(join(tmpdir(), "changeover-stack-"));
  const folder = join(home, "program");
  await linkProgram(resolve(options.program), folder);
  await mkdir(join(home, "state"));
  // Where its folder of logs should be is a file, so that the engine keeps none: it takes longest to compress what nobody reads.
  await mkdir(join(home, "home"));
  await writeFile(join(home, "home", "logs"), "");
  const env = {
    // Without the sidecar files of its metadata a kill of pulumi cannot leave one of them half-written.
    PULUMI_BACKEND_URL: `file://${join(home, "state")}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE: "only for tests",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_ERROR_OUTPUT_STRING: "true",
    // Memory for time: the engine is gone before it has used much.
    GOGC: "400",
    PATH: `${chosen}:${join(checkout, "node_modules/.bin")}:${process.env["PATH"]}`,
    // A folder of its own, unless a plugin is to be found in the user's.
    ...(!usesInstalled() && { PULUMI_HOME: join(home, "home") }),
    ...options.env,
  };
  const start = (...args: string[]) => {
    const [command = "pulumi", ...rest] = [...prefix, "pulumi"];
    const flags = ["--non-interactive", "--color", "never", "--cwd", folder];
    return execa(command, [...rest, ...flags, ...args], { env, reject: false, all: true, cwd: checkout });
  };
  const run = async (...args: string[]): Promise<RunResult> => {
    const { exitCode, stdout, stderr, all } = await timed(
      "pulumi",
      args[0] ?? "",
      () => start(...args),
      (ended) => stepSeconds(ended.stdout),
    );
    return { exitCode, stdout, stderr, all, changes: parseChanges(stdout) };
  };
  const must = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, all } = await run(...args);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")}: exit code ${exitCode}\n${all}`);
    return stdout;
  };

  const file = join(folder, `Pulumi.${stack}.yaml`);
  if (options.from === undefined) await must("stack", "init", stack);
  else {
    await cp(join(options.from, "state"), join(home, "state"), { recursive: true });
    await cp(join(options.from, "salt.yaml"), file);
    await must("stack", "select", stack);
  }
  const salt = await readField(file, "encryptionsalt");
  const settings: Record<string, unknown> = {};
  const configure = async (changed: Readonly<Record<string, unknown>>) => {
    Object.assign(settings, changed);
    // JSON is YAML.
    await writeFile(file, JSON.stringify({ encryptionsalt: salt, config: settings }, undefined, 2));
  };
  await configure(options.config ?? {});

  const select = ["--stack", stack];
  return {
    folder,
    configure,
    seal: async (value) => {
      const sealing = join(home, "sealing.yaml");
      await writeFile(sealing, `encryptionsalt: ${salt}\n`);
      await must(
        "config",
        "set",
        "--secret",
        ...select,
        "--config-file",
        sealing,
        "changeover:sealed",
        "--",
        value,
      );
      return { secure: await readField(sealing, "secure") };
    },
    preview: (...flags) => run("preview", ...select, ...flags),
    up: (...flags) => run("up", "--yes", "--skip-preview", ...select, ...flags),
    destroy: (...flags) => run("destroy", "--yes", "--skip-preview", ...select, ...flags),
    refresh: (...flags) => run("refresh", "--yes", "--skip-preview", ...select, ...flags),
    cancel: () => run("cancel", "--yes", stack),
    outputs: async () =>
      JSON.parse(await must("stack", "output", "--json", "--show-secrets", ...select)) as Record<
        string,
        unknown
      >,
    exportState: async () => {
      const text = await must("stack", "export", ...select);
      const { deployment } = JSON.parse(text) as {
        deployment: { resources?: StateResource[]; pending_operations?: unknown[] };
      };
      return {
        resources: deployment.resources ?? [],
        pendingOperations: deployment.pending_operations ?? [],
        text,
      };
    },
    start: (...args) => start(...args, ...select),
    execute: (...command) => {
      const [first = "", ...rest] = [...prefix, ...command];
      return execa(first, rest, { env, reject: false, all: true, cwd: folder });
    },
    save: async (to) => {
      await cp(join(home, "state"), join(to, "state"), { recursive: true });
      await writeFile(join(to, "salt.yaml"), `encryptionsalt: ${salt}\n`);
    },
    remove: () => rm(home, { recursive: true, force: true }),
  };
}

/** Links the program's files into a folder of their own, leaving its stacks' settings behind. */
async function linkProgram(program: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = (await readdir(program)).filter(
    (name) => !name.startsWith(".") && !/^Pulumi\..+\.yaml$/.test(name),
  );
  const modules = names.includes("node_modules") ? [] : [join(checkout, "node_modules")];
  const files = [...names.map((name) => join(program, name)), ...modules];
  await Promise.all(files.map((file) => symlink(file, join(folder, basename(file)))));
}

/** Counts from the summary that pulumi prints, done (`+ 3 created`) or planned (`+ 3 to create`). */
export function parseChanges(output: string): Counts {
  const count = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  return {
    create: count(/^\s+\+ (\d+) (?:created|to create)$/m),
    update: count(/^\s+~ (\d+) (?:updated|to update)$/m),
    delete: count(/^\s+- (\d+) (?:deleted|to delete)$/m),
    replace: count(/^\s+\+-\s?(\d+) (?:replaced|to replace)$/m),
    same: count(/^\s+(?:\d+ changes?\. )?(\d+) unchanged/m),
  };
}

async function readField(file: string, field: string): Promise<string> {
  const match = new RegExp(`${field}: (\\S+)`).exec(await readFile(file, "utf8"));
  if (match?.[1] === undefined)
    throw new Error(`${file}: no ${field}: pulumi wrote something else than expected`);
  return match[1];
}
