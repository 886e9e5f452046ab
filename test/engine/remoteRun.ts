// Runs one command over SSH as the command provider does: same input, output, log lines, environment and error texts.
import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import type { Command } from "./commandInputs.ts";

/** Numbers of the signals of RFC 4254; a command ended by one exits with 128 and the number. */
const signalNumbers: Readonly<Record<string, number>> = {
  ABRT: 6,
  ALRM: 14,
  FPE: 8,
  HUP: 1,
  ILL: 4,
  INT: 2,
  KILL: 9,
  PIPE: 13,
  QUIT: 3,
  SEGV: 11,
  TERM: 15,
};

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** Only where a byte of it is not UTF-8; such bytes are replaced in the texts. */
  readonly notUtf8?: true;
}

export interface Log {
  /** A line of the command's output, shown while it runs. */
  readonly line: (message: string) => void;
  readonly warning: (message: string) => void;
  readonly error: (message: string) => void;
}

/** Runs `text` and returns its output; throws with the exit status, the whole text and the whole output. */
export async function runRemotely(client: Client, command: Command, text: string, log: Log): Promise<Output> {
  const refused = variableRefusals(client);
  const optional = previousOutput(command);
  const { channel, ended } = await open(client, text, { ...optional, ...command.environment });
  for (const name of refused()) {
    const advice = `Unable to set '${name}': the server's AcceptEnv does not name it`;
    if (!(name in (command.environment ?? {}))) {
      log.warning(advice);
      continue;
    }
    log.error(advice);
    channel.destroy();
    throw new Error(`could not set environment variable "${name}": ssh: setenv failed`);
  }
  return collect(channel, ended, command, text, log);
}

/** Gathers output until the command's end. */
async function collect(
  channel: ClientChannel,
  ended: Promise<string | undefined>,
  command: Command,
  text: string,
  log: Log,
): Promise<Output> {
  const output = gather(channel, channel.stderr, command, log);
  channel.stdin.on("error", () => {});
  channel.end(command.stdin ?? "");
  return output.end(await ended, text);
}

/** Gathers what a command prints, and logs its lines; `end` gives the whole, or throws with how it failed. */
export function gather(
  stdout: Readable,
  stderr: Readable,
  command: Pick<Command, "logging">,
  log: Log,
): { end: (failure: string | undefined, text: string) => Promise<Output> } {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[], both: [] as Buffer[] };
  const lines = lineSplitter(log.line, () => {
    log.warning("a line of more than 64 KiB: this step hangs for ever, as with the real plugin");
    for (const stream of [stdout, stderr]) stream.pause();
  });
  for (const [name, stream] of Object.entries({ stdout, stderr }) as ["stdout" | "stderr", Readable][])
    stream.on("data", (chunk: Buffer) => {
      chunks[name].push(chunk);
      chunks.both.push(chunk);
      if (logs(command, name)) lines.write(chunk);
    });
  return {
    end: async (failure, text) => {
      if (lines.hang()) await new Promise(() => {});
      lines.end();
      if (failure !== undefined)
        throw new Error(`${failure}: running ${goQuote(text)}:\n${Buffer.concat(chunks.both).toString()}`);
      return outputOf(Buffer.concat(chunks.stdout), Buffer.concat(chunks.stderr));
    },
  };
}

function outputOf(stdout: Buffer, stderr: Buffer): Output {
  return {
    stdout: stdout.toString().replace(/\n$/, ""),
    stderr: stderr.toString().replace(/\n$/, ""),
    ...(isUtf8(stdout) && isUtf8(stderr) ? {} : { notUtf8: true as const }),
  };
}

interface Running {
  readonly channel: ClientChannel;
  /** How it failed, or undefined; known once all its output has come, or the connection is gone. */
  readonly ended: Promise<string | undefined>;
}

/** Starts the command. Its end may come in the same packet as the start, so it is listened for at once. */
async function open(client: Client, text: string, env: Record<string, string>): Promise<Running> {
  return new Promise((resolve, reject) =>
    client.exec(text, { env }, (error, channel) => {
      if (error) return reject(new Error(`ssh: command ${text} failed`));
      const ended = new Promise<string | undefined>((end) => {
        let failure: string | undefined = "wait: remote command exited without exit status or exit signal";
        channel.on("exit", (code: number | null, signal?: string, _core?: boolean, reason?: string) => {
          failure = exitError(code, signal, reason);
        });
        for (const source of [channel, client]) source.on("close", () => end(failure));
        channel.on("error", () => end(failure));
      });
      resolve({ channel, ended });
    }),
  );
}

export function previousOutput(command: Omit<Command, "connection">): Record<string, string> {
  if (command.addPreviousOutputInEnv === false) return {};
  return {
    ...(command.stdout && { PULUMI_COMMAND_STDOUT: command.stdout }),
    ...(command.stderr && { PULUMI_COMMAND_STDERR: command.stderr }),
  };
}

export function logs({ logging }: Pick<Command, "logging">, stream: "stdout" | "stderr"): boolean {
  return logging === undefined || logging === "stdoutAndStderr" || logging === stream;
}

function exitError(code: number | null, signal?: string, reason?: string): string | undefined {
  if (code === 0) return undefined;
  const name = signal?.replace(/^SIG/, "");
  const status = code ?? 128 + (signalNumbers[name ?? ""] ?? 0);
  const detail = `${name ? ` from signal ${name}` : ""}${reason ? `. Reason was: ${reason}` : ""}`;
  return `Process exited with status ${status}${detail}`;
}

/** The longest line that Go's scanner takes, in bytes. */
const longest = 64 * 1024 - 1;

/**
 * Hands on whole lines, and the rest at the end; one that is not UTF-8 goes nowhere, for it cannot be sent. After a line that is
 * too long it takes nothing more: `tooLong` is called, and `hang` tells.
 */
export function lineSplitter(
  emit: (line: string) => void,
  tooLong: () => void = () => {},
): {
  write: (chunk: Buffer) => void;
  hang: () => boolean;
  end: () => void;
} {
  let rest: Buffer = Buffer.alloc(0);
  let hangs = false;
  const show = (line: Buffer) => {
    if (isUtf8(line)) emit(line.toString().replace(/\r$/, ""));
  };
  return {
    write: (chunk) => {
      if (hangs) return;
      rest = Buffer.concat([rest, chunk]);
      let end = rest.indexOf("\n");
      for (; end >= 0 && end <= longest; end = rest.indexOf("\n")) {
        show(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
      }
      if (end < 0 && rest.length <= longest + 1) return;
      hangs = true;
      tooLong();
    },
    hang: () => hangs,
    end: () => {
      if (rest.length > 0 && rest.length <= longest) show(rest);
    },
  };
}

/** A string as Go's %q prints it. */
export function goQuote(value: string): string {
  return JSON.stringify(value)
    .replace(/\\u0007/g, "\\a")
    .replace(/\\u000b/g, "\\v")
    .replace(/\\u00([01][0-9a-f])/g, "\\x$1")
    .replace(/\u007f/g, "\\x7f");
}

interface Protocol {
  env: (channel: number, name: string, value: string, wantReply: boolean) => void;
}

/**
 * Makes the client ask the server whether it took each variable, and returns who was refused. ssh2 has no way of its own to
 * ask, and a refusal that goes unseen here would fail in production.
 */
function variableRefusals(client: Client): () => string[] {
  const refused: string[] = [];
  const inner = client as unknown as {
    _protocol: Protocol;
    _chanMgr: { get: (id: number) => unknown; _channels: Record<number, { outgoing: { id: number } }> };
  };
  const protocol = inner._protocol;
  const send = protocol.env.bind(protocol);
  protocol.env = (id, name, value) => {
    const channel = Object.values(inner._chanMgr._channels).find(({ outgoing }) => outgoing?.id === id) as
      { _callbacks: ((failed: unknown) => void)[] } | undefined;
    channel?._callbacks.push((failed) => {
      if (failed) refused.push(name);
    });
    send(id, name, value, true);
  };
  return () => refused;
}
