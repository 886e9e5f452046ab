/** A read-only look at both servers, one ssh each, before anything is planned. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { busy } from "../busy.ts";
import { asRoot, assignments, quote, scriptBeside, type Setting } from "../script.ts";
import { type Access, type Server, type Side, sides } from "../server.ts";

/** What was found on a server: text by name; a name that was not looked at is absent. */
export type Facts = ReadonlyMap<string, string>;

/** Facts of both servers, or why there are none. */
export interface Inspection {
  old: Facts | Unreachable;
  new: Facts | Unreachable;
}

/** A server that gave no facts, and why; the bastion may be to blame. */
export class Unreachable {
  readonly reason: string;
  readonly at: "server" | "bastion";
  constructor(reason: string, at: "server" | "bastion" = "server") {
    this.reason = reason;
    this.at = at;
  }
}

/** How long one server may take to tell its facts, in seconds. */
export const inspectDeadline = 40;

/** Looks at both servers at once. Never throws for a server: what failed is in the result. */
export async function inspect(access: Access, settings: Record<string, Setting>): Promise<Inspection> {
  const script = (side: Side) =>
    [
      assignments({
        ...settings,
        SIDE: side,
        REPLICATION_SQL: ["replication.sql", "following.sql"]
          .map((file) => scriptBeside(import.meta.url, file))
          .join("\n"),
        ELSEWHERE: scriptBeside(import.meta.url, "../database/elsewhere.sql"),
      }),
      scriptBeside(import.meta.url, "../proxy/find.sh"),
      scriptBeside(import.meta.url, "../web/check.sh"),
      scriptBeside(import.meta.url, "../compare/page.sh"),
      scriptBeside(import.meta.url, "../compare/facts.sh"),
      scriptBeside(import.meta.url, "../stragglers/facts.sh"),
      scriptBeside(import.meta.url, "../addresses/facts.sh"),
      scriptBeside(import.meta.url, "../web/supervisor.sh"),
      scriptBeside(import.meta.url, "../certificates/certbot.sh"),
      scriptBeside(import.meta.url, "../certificates/served.sh"),
      scriptBeside(import.meta.url, "../shell/busy.sh"),
      scriptBeside(import.meta.url, "../shell/psql.sh"),
      scriptBeside(import.meta.url, "facts.sh"),
      scriptBeside(import.meta.url, "replication.sh"),
      scriptBeside(import.meta.url, "strays.sh"),
      scriptBeside(import.meta.url, "inspect.sh"),
      "inspect </dev/null",
    ].join("\n");
  return askBoth(access, script, inspectDeadline);
}

/**
 * Runs a script that prints facts, the last of them `complete`, on both servers at once. Never throws for a server: what failed is
 * in the result, and of a server that is not among those to be asked there are no facts.
 * @param script the script for a side.
 * @param deadline seconds that one server may take.
 */
export async function askBoth(
  access: Reached,
  script: (side: Side) => string,
  deadline: number,
): Promise<Inspection> {
  return bothFacts(await askThose(access, script, deadline));
}

/** The facts of a look; of a server that was not asked, none. */
export function bothFacts({ old = new Map(), new: fresh = new Map() }: Partial<Inspection>): Inspection {
  return { old, new: fresh };
}

/** Whether a server that was asked has told nothing. */
export function isMute({ old, new: fresh }: Inspection): boolean {
  return old instanceof Unreachable || fresh instanceof Unreachable;
}

/** Some of the two servers, and what opens them. */
export type Reached = Omit<Access, Side> & Partial<Pick<Access, Side>>;

/** The same for those that there are. */
export async function askThose(
  access: Reached,
  script: (side: Side) => string,
  deadline: number,
): Promise<Partial<Inspection>> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-"));
  try {
    const configFile = writeSshFiles(folder, access);
    const env = askPass(folder, access.privateKeyPassphrase);
    const told = await Promise.all(
      sides.map(async (side) => {
        const user = access[side]?.user;
        if (user === undefined) return {};
        const facts = await ask({ configFile, side, user, env, deadline }, `set -u\n${script(side)}\n`);
        return { [side]: facts };
      }),
    );
    return Object.assign({}, ...told) as Partial<Inspection>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes ssh's configuration, the pinned host keys and the key into a folder of this run's own. */
export function writeSshFiles(folder: string, access: Reached): string {
  const servers = {
    ...(access.old ? { old: access.old } : {}),
    ...(access.new ? { new: access.new } : {}),
    ...(access.bastion ? { bastion: access.bastion } : {}),
  };
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(
    knownHosts,
    Object.entries(servers)
      .map(([name, { hostKey }]) => `${name} ${hostKey}\n`)
      .join(""),
    { mode: 0o600 },
  );
  const keyFile = join(folder, "key");
  if (access.privateKey !== undefined)
    writeFileSync(keyFile, access.privateKey.endsWith("\n") ? access.privateKey : `${access.privateKey}\n`, {
      mode: 0o600,
    });
  const configFile = join(folder, "config");
  const host = ([name, server]: [string, Server]) => [
    `Host ${name}`,
    `  HostName ${server.address}`,
    `  HostKeyAlias ${name}`,
    `  User ${server.user}`,
    `  Port ${server.port}`,
    ...(access.bastion && name !== "bastion"
      ? [`  ProxyCommand ssh -F "${configFile}" -E "${bastionLog(folder, name)}" -W %h:%p bastion`]
      : []),
  ];
  const everywhere = [
    "Host *",
    `  UserKnownHostsFile "${knownHosts}"`,
    "  GlobalKnownHostsFile none",
    "  StrictHostKeyChecking yes",
    "  CheckHostIP no",
    `  BatchMode ${access.privateKeyPassphrase === undefined ? "yes" : "no"}`,
    "  PreferredAuthentications publickey",
    "  NumberOfPasswordPrompts 1",
    "  LogLevel ERROR",
    "  ConnectTimeout 10",
    "  ServerAliveInterval 5",
    "  ServerAliveCountMax 3",
    ...(access.privateKey === undefined
      ? []
      : [`  IdentityFile "${keyFile}"`, "  IdentitiesOnly yes", "  IdentityAgent none"]),
  ];
  writeFileSync(configFile, [...Object.entries(servers).flatMap(host), ...everywhere, ""].join("\n"), {
    mode: 0o600,
  });
  return configFile;
}

/** Where the connection to the bastion writes its errors, apart from those of the server behind it. */
function bastionLog(folder: string, name: string): string {
  return join(folder, `bastion-${name}.log`);
}

/**
 * The environment in which ssh programs get a passphrase from a file of this run's own; without one they never ask.
 * @param folder a private folder that goes after the run.
 */
export function askPass(folder: string, passphrase: string | undefined): Record<string, string> {
  const program = join(folder, "askpass");
  if (passphrase !== undefined) writeFileSync(join(folder, "passphrase"), passphrase, { mode: 0o600 });
  writeFileSync(
    program,
    `#!/bin/sh\n${passphrase === undefined ? "exit 1" : `cat ${quote(join(folder, "passphrase"))}`}\n`,
    { mode: 0o700 },
  );
  return { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force", DISPLAY: "none" };
}

/** How one server is asked. */
interface Asked {
  configFile: string;
  side: Side;
  user: string;
  env: Record<string, string>;
  /** Seconds. */
  deadline: number;
}

/** Asks one server. */
async function ask(
  { configFile, side, user, env, deadline }: Asked,
  script: string,
): Promise<Facts | Unreachable> {
  const command = `${asRoot(user)}bash -s`;
  const run = await execa("ssh", ["-F", configFile, side, command], {
    input: script,
    reject: false,
    env,
    timeout: deadline * 1000,
    stripFinalNewline: true,
    maxBuffer: 50_000_000,
  });
  const facts = parseFacts(run.stdout);
  if (facts.get("complete") === "yes") return facts;
  const bastionError = bastionErrors(configFile, side);
  if (bastionError !== undefined) return new Unreachable(bastionError, "bastion");
  if (run.timedOut) return new Unreachable(`no answer within ${deadline} seconds${busy()}`);
  return new Unreachable(lastError(run.stderr) ?? `ssh ended with ${run.exitCode ?? run.shortMessage}`);
}

/** What the connection to the bastion said last, where there is one. */
export function bastionErrors(configFile: string, side: Side): string | undefined {
  return lastError(readIfThere(bastionLog(dirname(configFile), side)));
}

/** The last line of ssh's errors that says something. */
export function lastError(stderr: string): string | undefined {
  return stderr
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("**"))
    .at(-1)
    ?.trim();
}

/** A file's text, empty where there is none. */
function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Reads `name<TAB>=value` and `name<TAB>base64` lines; anything else a login prints is passed over. */
export function parseFacts(output: string): Facts {
  const facts = new Map<string, string>();
  for (const line of output.split("\n")) {
    const [, name, plain, encoded] = /^([^\t]+)\t(?:=([^\t]*)|([A-Za-z0-9+/=]*))$/.exec(line) ?? [];
    if (name === undefined) continue;
    const value = plain ?? Buffer.from(encoded!, "base64").toString("utf8");
    facts.set(name, value.replace(/\n+$/, ""));
  }
  return facts;
}

/** A fact's lines, none where it is empty or absent. */
export function lines(facts: Facts, name: string): string[] {
  const value = facts.get(name);
  return value ? value.split("\n") : [];
}

/** A fact's lines, each cut at tabs. */
export function rows(facts: Facts, name: string): string[][] {
  return lines(facts, name).map((line) => line.split("\t"));
}

/** A fact that is JSON; the fallback where it was not looked at. */
export function json<T>(facts: Facts, name: string, fallback: T): T {
  const value = facts.get(name);
  return value ? (JSON.parse(value) as T) : fallback;
}
