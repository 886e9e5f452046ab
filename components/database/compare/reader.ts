/**
 * A connection that reads one server's database, from this machine: SSH with the move's pinned keys leads to PostgreSQL's port on
 * the server itself, so no port is opened. It logs in by a role of its own, which the server removes when the connection ends.
 */
import { randomBytes } from "node:crypto";
import { Duplex } from "node:stream";
import { execa } from "execa";
import pg from "pg";
import { busy } from "../../busy.ts";
import { bastionErrors, lastError } from "../../facts/inspect.ts";
import { describe, type Finding } from "../../guards/guards.ts";
import { asRoot, assignments, scriptBeside } from "../../script.ts";
import type { Server, Side } from "../../server.ts";
import { scramVerifier } from "./scram.ts";

/** A comparison that could not be done, with place, rule, value and remedy. */
export class ComparisonError extends Error {
  constructor(finding: Finding) {
    super(describe(finding).trim());
  }
}

/** The database of one side, for reading. */
export interface Reader {
  side: Side;
  query: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
  /** Ends the connection; the role is gone afterwards. */
  close: () => Promise<void>;
}

/** What one side's reader needs to know. */
export interface ReaderArgs {
  side: Side;
  server: Server;
  database: string;
  /** PostgreSQL's port on the server. */
  port: number;
  /** ssh's configuration with the pinned keys, and the environment in which it gets the key's passphrase. */
  configFile: string;
  env: Record<string, string>;
  /** The longest one statement may take, in seconds. */
  statementDeadline: number;
}

/** How long it may take to make or remove the role, or to log in, in seconds. */
const connectDeadline = 40;
/** How often the server is told that this machine is still there, in milliseconds; it waits for 30 seconds. */
const beat = 5000;
const role = "changeover_compare_reader";

/** Makes the role and logs in. What was begun is undone where it fails. */
export async function openReader(args: ReaderArgs): Promise<Reader> {
  const password = randomBytes(24).toString("base64url");
  const guardian = await makeRole(args, scramVerifier(password));
  try {
    const client = await logIn(args, password, guardian.hbaFile);
    const query: Reader["query"] = async <Row extends pg.QueryResultRow>(
      text: string,
      values?: unknown[],
    ) => {
      try {
        return (await client.query<Row>(text, values)).rows;
      } catch (error) {
        throw isOfOneStatement(error) ? error : lostConnection(args.side, error as Error);
      }
    };
    const close = async () => {
      await client.end().catch(() => undefined);
      await guardian.end();
    };
    return { side: args.side, query, close };
  } catch (error) {
    await guardian.end().catch(() => undefined);
    throw error;
  }
}

/** Whether PostgreSQL refused one statement, and the connection goes on. */
export function isOfOneStatement(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.severity !== "FATAL" && !error.code?.startsWith("57P");
}

/** The connection ended by itself, or the server was mute. */
function lostConnection(side: Side, { message }: Error): ComparisonError {
  return new ComparisonError({
    place: `${side}, PostgreSQL`,
    rule: "stays connected while the databases are compared",
    value: message,
    remedy: `run the comparison again; its role ${role} goes by itself within a minute`,
  });
}

/** Makes the role on the server, by a script that stays there and removes it when this machine is gone. */
async function makeRole({ side, server, database, port, configFile, env }: ReaderArgs, verifier: string) {
  const script = [
    assignments({ PGPORT: port, DATABASE: database, VERIFIER: verifier }),
    scriptBeside(import.meta.url, "role.sh"),
  ].join("\n");
  const command = `${asRoot(server.user)}bash -s`;
  const run = execa("ssh", ["-F", configFile, side, command], { reject: false, env });
  run.stdin.on("error", () => undefined);
  run.stdin.write(script);
  const timer = setInterval(() => run.stdin.write("\n"), beat);
  const end = async () => {
    clearInterval(timer);
    run.stdin.end();
    const { exitCode } = await within(connectDeadline, run, () => run.kill());
    if (exitCode !== 0)
      throw new ComparisonError({
        place: `${side}, PostgreSQL`,
        rule: `has no role ${role} after the comparison`,
        value: `nobody saw it go: ${bastionErrors(configFile, side) ?? lastError((await run).stderr) ?? "the connection ended"}`,
        remedy: `it goes by itself within a minute, or with the next comparison; nobody can log in with it`,
      });
  };
  const hbaFile = await within(connectDeadline, readyLine(run.stdout, run), () => run.kill());
  if (hbaFile !== undefined) return { hbaFile, end };
  clearInterval(timer);
  const { stderr } = await run;
  throw new ComparisonError({
    place: `${side} (${server.user}@${server.address})`,
    rule: "makes a role that may read, as the superuser of PostgreSQL",
    value:
      bastionErrors(configFile, side) ??
      lastError(stderr) ??
      `it gave no answer within ${connectDeadline} seconds${busy()}`,
    remedy: `mend that, and run the comparison again; 'pulumi preview' says more where it is about SSH`,
  });
}

/** What the server's script says when the role is there; nothing where the script ended before. */
async function readyLine(stdout: NodeJS.ReadableStream, run: Promise<unknown>): Promise<string | undefined> {
  let text = "";
  const line = new Promise<string>((resolve) => {
    stdout.on("data", (data: Buffer) => {
      text += data.toString();
      const match = /^ready\t(.*)\n/m.exec(text);
      if (match) resolve(match[1]!);
    });
  });
  return Promise.race([line, run.then(() => undefined)]);
}

/** Waits for something; past the deadline, ends it and waits for its end. */
async function within<T>(seconds: number, work: Promise<T>, stop: () => void): Promise<T> {
  const timer = setTimeout(stop, seconds * 1000);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Logs in through SSH. */
async function logIn(args: ReaderArgs, password: string, hbaFile: string): Promise<pg.Client> {
  const { side, database, port, configFile, env, statementDeadline } = args;
  // What the server says to the forwarding is told from this level on.
  const run = execa("ssh", ["-F", configFile, "-o", "LogLevel=INFO", "-W", `127.0.0.1:${port}`, side], {
    reject: false,
    env,
    buffer: { stdout: false, stderr: true },
    encoding: "buffer",
  });
  const client = new pg.Client({
    stream: () => asSocket(run.duplex()),
    host: "127.0.0.1",
    port,
    user: role,
    password,
    database,
    ssl: false,
    client_encoding: "UTF8",
    application_name: "changeover compare",
    options: sessionOptions(statementDeadline),
    connectionTimeoutMillis: connectDeadline * 1000,
    query_timeout: (statementDeadline + 15) * 1000,
  });
  // An error between two queries is told by the next one.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    run.kill();
    const { stderr } = await run;
    const said =
      bastionErrors(configFile, side) ?? Buffer.from(stderr).toString().trim().replaceAll(/\s*\n/g, "; ");
    throw new ComparisonError(loginProblem(args, hbaFile, error as Error, said === "" ? undefined : said));
  }
}

/** Settings under which equal values have equal texts on every PostgreSQL, indexes are walked, and old is not loaded much. */
function sessionOptions(statementDeadline: number): string {
  const settings = {
    search_path: "pg_catalog",
    datestyle: "ISO",
    intervalstyle: "postgres",
    timezone: "UTC",
    bytea_output: "hex",
    extra_float_digits: 3,
    lc_monetary: "C",
    xmlbinary: "base64",
    quote_all_identifiers: "off",
    default_transaction_read_only: "on",
    statement_timeout: `${statementDeadline}s`,
    lock_timeout: "60s",
    max_parallel_workers_per_gather: 0,
    enable_seqscan: "off",
    enable_bitmapscan: "off",
    enable_hashjoin: "off",
    enable_mergejoin: "off",
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
}

/** Why nobody could log in, and what to do about it. */
export function loginProblem(
  { side, database, port }: Pick<ReaderArgs, "side" | "database" | "port">,
  hbaFile: string,
  error: Error & { code?: string },
  sshSaid: string | undefined,
): Finding {
  const value = sshSaid ?? error.message;
  if (sshSaid !== undefined && /prohibited/.test(sshSaid))
    return {
      place: `${side}, sshd`,
      rule: `leads to 127.0.0.1:${port} on the server itself`,
      value,
      remedy: `on ${side}, in /etc/ssh/sshd_config: "AllowTcpForwarding local" and, where PermitOpen is set, "PermitOpen 127.0.0.1:${port}"; then: systemctl reload ssh`,
    };
  if (sshSaid !== undefined && /connect failed|refused/i.test(sshSaid))
    return {
      place: `${side}, PostgreSQL`,
      rule: `listens on 127.0.0.1:${port}`,
      value,
      remedy: `set listen_addresses = 'localhost' there and restart it, or correct the port: pulumi config set --path changeover:database.port PORT`,
    };
  if (error.code?.startsWith("28"))
    return {
      place: `${side}, ${hbaFile}`,
      rule: `lets the role ${role} in from 127.0.0.1 by its password`,
      value,
      remedy: `add the line "host ${JSON.stringify(database)} ${role} 127.0.0.1/32 scram-sha-256" ahead of the others, then: systemctl reload postgresql`,
    };
  return {
    place: `${side}, PostgreSQL`,
    rule: "lets the comparison log in",
    value,
    remedy: "mend that, and run the comparison again; it changes nothing",
  };
}

/** A stream that pg takes for a socket which is connected at once. */
function asSocket(stream: Duplex): Duplex {
  const nothing = () => stream;
  return Object.assign(stream, {
    setNoDelay: nothing,
    setKeepAlive: nothing,
    ref: nothing,
    unref: nothing,
    connect: () => process.nextTick(() => stream.emit("connect")),
  });
}
