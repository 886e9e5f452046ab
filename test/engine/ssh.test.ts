// How the command provider's double connects and runs: copied from pulumi-command 1.2.1, provider/pkg/provider/remote.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Command, Connection } from "./commandInputs.ts";
import { changes, reveal, validate, withDefaults } from "./commandInputs.ts";
import { goQuote, runRemotely, type Output } from "./remoteRun.ts";
import { dial } from "./ssh.ts";
import { generateKeys, generateRsaKeys, type Keys, startSshServer, type SshServer } from "./sshServer.ts";

const clientKey = generateKeys();
const servers: SshServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

test("signs in with a key, and runs", async () => {
  const server = await start();
  expect(await run(at(server), "echo out; echo err >&2")).toEqual({ stdout: "out", stderr: "err" });
  expect(server.logins).toEqual(["deploy publickey"]);
});

test("signs in with an encrypted key and its password", async () => {
  const keys = generateKeys("correct horse");
  const server = await start({ clientKey: keys });
  const connection = { ...at(server), privateKey: keys.private, privateKeyPassword: "correct horse" };
  expect(await run(connection, "echo in")).toMatchObject({ stdout: "in" });
});

test.each([
  ["an encrypted key without password", {}, "ssh: this private key is passphrase protected"],
  ["a wrong password", { privateKeyPassword: "wrong" }, "x509: decryption password incorrect"],
  ["no key at all", { privateKey: "nonsense" }, "ssh: no key found"],
  ["a host key of no known form", { hostKey: "nonsense" }, "failed to parse host key: ssh: no key found"],
])("refuses at once, without a retry: %s", async (_case, changed, message) => {
  const server = await start();
  const connection = { ...at(server), privateKey: generateKeys("x").private, dialErrorLimit: 10, ...changed };
  await expect(run(connection, "true")).rejects.toThrow(message);
});

test("signs in with a password", async () => {
  const server = await start({ password: "swordfish" });
  await run({ ...at(server), privateKey: undefined, password: "swordfish" }, "true");
  expect(server.logins).toEqual(["deploy password"]);
});

test("signs in with an agent", async () => {
  const folder = await mkdtemp(join(tmpdir(), "changeover-agent-"));
  const socket = join(folder, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await once(agent.stdout, "data");
    const file = join(folder, "key");
    await writeFile(file, clientKey.private, { mode: 0o600 });
    const add = spawn("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    await once(add, "close");
    const connection = { ...at(await start()), privateKey: undefined, agentSocketPath: socket };
    expect(await run(connection, "echo in")).toMatchObject({ stdout: "in" });
  } finally {
    agent.kill();
    await rm(folder, { recursive: true, force: true });
  }
});

test("an agent that is not there fails at once, even with a key", async () => {
  const connection = { ...at(await start()), agentSocketPath: "/nowhere/agent" };
  await expect(run(connection, "true")).rejects.toThrow(
    "dial unix /nowhere/agent: connect: no such file or directory",
  );
});

test("a key that may not sign in", async () => {
  const connection = { ...at(await start()), privateKey: generateKeys().private };
  await expect(run(connection, "true")).rejects.toThrow(
    "after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey]",
  );
});

test("another host key than the pinned one is never spoken to", async () => {
  const server = await start();
  const connection = { ...at(server), hostKey: generateKeys().public };
  await expect(run(connection, "true")).rejects.toThrow("ssh: handshake failed: ssh: host key mismatch");
  expect(server.logins).toEqual([]);
});

test("another host key than the pinned one is asked for again as often as a server that is not there", async () => {
  const status: string[] = [];
  const connection = { ...at(await start()), hostKey: generateKeys().public, dialErrorLimit: 2 };
  await expect(dial(connection, { ...quiet, status: (line) => status.push(line) })).rejects.toThrow(
    "after 2 failed attempts: ssh: handshake failed: ssh: host key mismatch",
  );
  expect(status).toHaveLength(2);
});

test("of an RSA host key ssh-rsa alone is offered, which no modern server takes", async () => {
  const hostKey = generateRsaKeys();
  expect(await run(at(await start({ hostKey })), "echo in")).toMatchObject({ stdout: "in" });
  expect(await hostKeysOffered(hostKey)).toBe("ssh-rsa");
});

test("without a pinned host key any is taken", async () => {
  const connection = { ...at(await start()), hostKey: undefined };
  expect(await run(connection, "echo in")).toMatchObject({ stdout: "in" });
});

test("dials again after 0.1 s, 0.15 s and so on, and says so, up to the limit", async () => {
  const { port } = await free();
  const status: string[] = [];
  const connection = { ...defaults, host: "127.0.0.1", port, dialErrorLimit: 3 };
  const begun = performance.now();
  await expect(dial(connection, { ...quiet, status: (line) => status.push(line) })).rejects.toThrow(
    `after 3 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
  expect(performance.now() - begun).toBeGreaterThan(450);
  expect(status).toEqual([1, 2, 3].map((n) => `Dial ${n}/3 failed: retrying`));
});

test.each([
  ["cancel", "context canceled"],
  ["the end of the resource's customTimeouts", "context deadline exceeded"],
])("%s ends the waits between dials", async (what, message) => {
  const { port } = await free();
  const cancel = new AbortController();
  const cancelled = what === "cancel" ? cancel.signal : AbortSignal.timeout(50);
  const connection = { ...defaults, host: "127.0.0.1", port, dialErrorLimit: -1 };
  setTimeout(() => cancel.abort(), 50);
  await expect(dial(connection, { ...quiet, cancelled })).rejects.toThrow(message);
});

test("goes through a proxy with its own pinned host key", async () => {
  const [server, proxy] = [await start(), await start()];
  expect(await run({ ...at(server), proxy: at(proxy) }, "echo far")).toMatchObject({ stdout: "far" });
  expect([server.logins, proxy.logins]).toEqual([["deploy publickey"], ["deploy publickey"]]);
  const wrong = { ...at(proxy), hostKey: server.hostKey.public };
  await expect(run({ ...at(server), proxy: wrong }, "true")).rejects.toThrow(
    /^proxy: after 0 failed .* host key mismatch/,
  );
});

test("through a proxy a handshake that failed is never mended by another", async () => {
  const [server, proxy] = [await start(), await start()];
  const status: string[] = [];
  const connection = { ...at(server), hostKey: proxy.hostKey.public, dialErrorLimit: 2, proxy: at(proxy) };
  await expect(dial(connection, { ...quiet, status: (line) => status.push(line) })).rejects.toThrow(
    "proxy: after 2 failed attempts: ssh: handshake failed: EOF",
  );
  expect(status).toEqual(["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
});

test.each([
  ["exit 7", 'Process exited with status 7: running "exit 7":\n'],
  ["kill -TERM $$", 'Process exited with status 143 from signal TERM: running "kill -TERM $$":\n'],
])("tells how a command ended: %s", async (text, message) => {
  await expect(run(at(await start()), text)).rejects.toThrow(message);
});

test("a lost connection is an error", async () => {
  const server = await start();
  const running = run(at(server), "sleep 5");
  setTimeout(() => void server.close(), 300);
  await expect(running).rejects.toThrow("wait: remote command exited without exit status or exit signal");
});

test("passes stdin and closes it", async () => {
  const connection = at(await start());
  expect(await run(connection, "cat", { stdin: "secret\n" })).toMatchObject({ stdout: "secret" });
  expect(await run(connection, "cat")).toMatchObject({ stdout: "" });
});

test("takes one newline off the end of the output", async () => {
  expect(await run(at(await start()), "printf 'a\\n\\n'")).toMatchObject({ stdout: "a\n" });
});

test.each([
  [undefined, ["out", "err"]],
  ["stdoutAndStderr", ["out", "err"]],
  ["stdout", ["out"]],
  ["stderr", ["err"]],
  ["none", []],
] as const)("logging %s shows %j", async (logging, expected) => {
  const lines: string[] = [];
  await run(at(await start()), "echo out; sleep 0.05; echo err >&2", logging && { logging }, lines);
  expect(lines).toEqual(expected);
});

test("a line of 64 KiB hangs where it is logged, and passes where not", async () => {
  const connection = at(await start());
  const text = (bytes: number) => `head -c ${bytes} /dev/zero | tr '\\0' x; echo; echo end`;
  const { stdout } = await run(connection, text(65_536), { logging: "none" });
  expect(stdout).toHaveLength(65_540);
  const lines: string[] = [];
  await run(connection, text(65_535), {}, lines);
  expect(lines.map(({ length }) => length)).toEqual([65_535, 3]);
  const ended = run(connection, text(65_536), {}, lines).then(() => "ended");
  await expect.poll(() => lines.at(-1)).toContain("a line of more than 64 KiB: this step hangs for ever");
  const later = new Promise((resolve) => setTimeout(resolve, 300, "at work"));
  expect(await Promise.race([ended, later])).toBe("at work");
});

test("bytes that are not UTF-8 are marked in the output, replaced in an error, and their lines are not shown", async () => {
  const connection = at(await start());
  const lines: string[] = [];
  const text = "printf 'Gr\\366\\337e\\n'; echo Größe";
  expect(await run(connection, text, {}, lines)).toEqual({
    ...{ stdout: "Gr\ufffd\ufffde\nGröße", stderr: "", notUtf8: true },
  });
  expect(lines).toEqual(["Größe"]);
  await expect(run(connection, `${text}; exit 1`)).rejects.toThrow("Gr\ufffd\ufffde\nGröße");
});

test("environment needs AcceptEnv", async () => {
  const environment = { LC_STEP: "7" };
  const open = at(await start({ acceptEnv: ["LC_STEP"] }));
  expect(await run(open, 'echo "$LC_STEP"', { environment })).toMatchObject({ stdout: "7" });
  const lines: string[] = [];
  await expect(run(at(await start()), "true", { environment }, lines)).rejects.toThrow(
    'could not set environment variable "LC_STEP": ssh: setenv failed',
  );
  expect(lines.join()).toContain("Unable to set 'LC_STEP'");
});

test("the output before goes along, where the server takes it, unless told otherwise", async () => {
  const connection = at(await start({ acceptEnv: ["PULUMI_COMMAND_STDOUT"] }));
  const text = 'echo "<$PULUMI_COMMAND_STDOUT>"';
  expect(await run(connection, text, { stdout: "before" })).toMatchObject({ stdout: "<before>" });
  const off = { stdout: "before", addPreviousOutputInEnv: false };
  expect(await run(connection, text, off)).toMatchObject({ stdout: "<>" });
});

test("defaults of connection and proxy; the whole connection secret, and what opens the server secret in it", () => {
  const secret = (value: unknown) => ({
    ...{ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value },
  });
  expect(
    withDefaults({ connection: { host: "a", privateKey: "key", proxy: { host: "b", password: "p" } } }),
  ).toEqual({
    connection: secret({
      ...{ host: "a", user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 },
      privateKey: secret("key"),
      proxy: {
        ...{ host: "b", user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 },
        password: secret("p"),
      },
    }),
  });
  const inputs = withDefaults({
    create: "true",
    connection: { host: "a", proxy: { host: "b", port: 2222 } },
  });
  expect(reveal(inputs["connection"])).toEqual({
    ...{ host: "a", user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 },
    proxy: { host: "b", user: "root", port: 2222, dialErrorLimit: 10, perDialTimeout: 15 },
  });
});

test.each([
  [{ connection: {} }, "connection.host", "Missing required field 'host' on 'remote.Connection'"],
  [{ create: "x" }, "connection", "Missing required field 'connection' on 'remote.Command'"],
  [{ connection: { host: "a", port: "22" } }, "connection.port", "must be a 'number'; got 'string' instead"],
  [{ connection: { host: "a" }, crate: "x" }, "crate", "Unrecognized field 'crate' on 'remote.Command'"],
])("refuses %j", (inputs, property, reason) => {
  expect(validate(inputs)).toEqual([{ property, reason: expect.stringContaining(reason) as string }]);
});

test("every change is an update; only a new or gone triggers list replaces by itself", () => {
  const connection = { host: "a" };
  expect(changes({ create: "a", connection }, { create: "b", connection: { host: "b" } })).toEqual([
    { path: "create", kind: "update", replaces: false },
    { path: "connection.host", kind: "update", replaces: false },
  ]);
  expect(changes({ delete: "a" }, { triggers: ["1"] })).toEqual([
    { path: "delete", kind: "delete", replaces: false },
    { path: "triggers", kind: "add", replaces: true },
  ]);
  expect(changes({ triggers: ["1"] }, { triggers: ["2"] })).toEqual([
    { path: "triggers[0]", kind: "update", replaces: false },
  ]);
  expect(changes({ create: "a", __internal: 1 }, { create: "a", version: "2" })).toEqual([]);
});

test.each([
  ['say "hi"\n', '"say \\"hi\\"\\n"'],
  ["tab\tbell\u0007escape\u001bé", '"tab\\tbell\\aescape\\x1bé"'],
])("quotes %j as Go does", (text, quoted) => expect(goQuote(text)).toBe(quoted));

const quiet = { cancelled: new AbortController().signal, status: () => {} };
const defaults = { user: "deploy", port: 22, dialErrorLimit: 0, perDialTimeout: 15 };

async function start(options: Parameters<typeof startSshServer>[0] = {}): Promise<SshServer> {
  const server = await startSshServer({ clientKey, ...options });
  servers.push(server);
  return server;
}

function at({ port, hostKey }: SshServer): Connection {
  return { ...defaults, host: "127.0.0.1", port, hostKey: hostKey.public, privateKey: clientKey.private };
}

async function run(
  connection: Connection,
  text: string,
  command: Partial<Command> = {},
  lines: string[] = [],
): Promise<Output> {
  const line = (message: string) => void lines.push(message);
  const client = await dial(connection, quiet);
  return runRemotely(client, { ...command, connection }, text, { line, warning: line, error: line });
}

/** What a client that has pinned this key says it would take, in the first packet after its greeting (RFC 4253, 7.1). */
async function hostKeysOffered(hostKey: Keys): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const dialled = dial({ ...defaults, host: "127.0.0.1", port, hostKey: hostKey.public }, quiet).catch(
    () => {},
  );
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.on("error", () => {}).write("SSH-2.0-listener\r\n");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const packet = () => {
    const bytes = Buffer.concat(chunks);
    return bytes.subarray(bytes.indexOf("\n") + 1);
  };
  await expect
    .poll(() => packet().length > 4 && packet().length >= 4 + packet().readUInt32BE(0), { timeout: 10_000 })
    .toBe(true);
  socket.destroy();
  server.close();
  await dialled;
  // Length, padding, type and cookie; then the list of key exchanges, and that of host keys.
  const lists = packet().subarray(4 + 1 + 1 + 16);
  const second = lists.subarray(4 + lists.readUInt32BE(0));
  return second.subarray(4, 4 + second.readUInt32BE(0)).toString();
}

/** A port where nobody listens. */
async function free(): Promise<{ port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as { port: number };
  server.close();
  return address;
}
