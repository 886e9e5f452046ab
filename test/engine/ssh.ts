// Connects as the command provider does: the same authentication order, host key rule, retries and error texts.
import { createConnection, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type AnyAuthMethod, type Client, type ConnectConfig } from "ssh2";
import type { Connection, Endpoint } from "./commandInputs.ts";

/** First wait between attempts in milliseconds, its growth and its bound: ten retries take 11 seconds. */
const backoff = { first: 100, factor: 1.5, longest: 5000 };
/** A cut network is noticed about this long after the last packet, as by Go's keepalive (15 s, nine times). */
const keepAliveMilliseconds = 135_000;

export interface DialContext {
  /** Ends the waits between attempts; a running command goes on. */
  readonly cancelled: AbortSignal;
  /** A short-lived line in the engine's display. */
  readonly status: (message: string) => void;
}

/** A connection to the server, through the proxy when there is one. */
export async function dial(connection: Connection, context: DialContext): Promise<Client> {
  const config = clientConfig(connection);
  await checkAgent(connection);
  const { proxy } = connection;
  if (proxy === undefined) {
    return retry("Dial", connection.dialErrorLimit, context, () => handshake(connection, config));
  }
  try {
    const proxyConfig = clientConfig(proxy);
    await checkAgent(proxy);
    const { dialErrorLimit } = connection;
    const hop = await retry("Dial proxy", proxy.dialErrorLimit, context, () => handshake(proxy, proxyConfig));
    const through = await retry("Dial from proxy", dialErrorLimit, context, () => forward(hop, connection));
    // Over the same stream each time: what the first attempt has broken, no other one mends.
    return await retry("Dial", dialErrorLimit, context, () => handshake(connection, config, through));
  } catch (error) {
    throw new Error(`proxy: ${text(error)}`, { cause: error });
  }
}

/** Attempts until one succeeds, the limit is passed (-1: never) or the engine cancels. */
async function retry<T>(
  label: string,
  limit: number,
  context: DialContext,
  attempt: () => Promise<T>,
): Promise<T> {
  let wait = backoff.first;
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (limit > -1 && failures > limit) {
        throw new Error(`after ${failures - 1} failed attempts: ${text(error)}`, { cause: error });
      }
      context.status(`${label} ${failures}/${limit === -1 ? "inf" : limit} failed: retrying`);
    }
    await pause(Math.min(wait, backoff.longest), context.cancelled);
    wait *= backoff.factor;
  }
}

async function pause(milliseconds: number, cancelled: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      const { name } = cancelled.reason as Error;
      reject(new Error(name === "TimeoutError" ? "context deadline exceeded" : "context canceled"));
    };
    if (cancelled.aborted) return stop();
    const timer = setTimeout(() => {
      cancelled.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    cancelled.addEventListener("abort", () => clearTimeout(timer), { once: true });
    cancelled.addEventListener("abort", stop, { once: true });
  });
}

/** The TCP connection; only this part is bound by perDialTimeout, in seconds (0: no bound). */
async function connectTcp({ host, port, perDialTimeout }: Endpoint): Promise<Socket> {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = createConnection({
      host,
      port: Math.trunc(port),
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMilliseconds,
      noDelay: true,
    });
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`dial tcp ${address}: ${reason}`));
    };
    const timer =
      perDialTimeout > 0 ? setTimeout(() => fail("i/o timeout"), perDialTimeout * 1000) : undefined;
    socket.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(dialError(error));
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

async function handshake(endpoint: Endpoint, config: ConnectConfig, through?: Duplex): Promise<Client> {
  const sock = through ?? (await connectTcp(endpoint));
  if (sock.destroyed || sock.readableEnded) throw new Error("ssh: handshake failed: EOF");
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.once("ready", () => {
      client.removeAllListeners("error").removeAllListeners("close");
      // What breaks later is seen by the command that runs over it.
      client.on("error", () => {});
      resolve(client);
    });
    client.once("close", () => reject(new Error("ssh: handshake failed: EOF")));
    client.once("error", (error) => {
      client.on("error", () => {});
      client.destroy();
      reject(new Error(`ssh: handshake failed: ${handshakeError(error, endpoint)}`));
    });
    client.connect({ ...config, sock });
  });
}

async function forward(hop: Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) =>
    hop.forwardOut("127.0.0.1", 0, host, Math.trunc(port), (error, stream) =>
      error ? reject(new Error(`ssh: rejected: connect failed (${error.message})`)) : resolve(stream),
    ),
  );
}

function clientConfig(endpoint: Endpoint): ConnectConfig {
  const pinned = endpoint.hostKey === undefined ? undefined : parseHostKey(endpoint.hostKey);
  return {
    username: endpoint.user,
    readyTimeout: 0,
    authHandler: authentication(endpoint),
    ...(pinned && {
      algorithms: { serverHostKey: [pinned.type as "ssh-ed25519"] },
      hostVerifier: (key: Buffer) => key.equals(pinned.blob),
    }),
  };
}

/** Key, password, password by questions, agent: in this order, each only where it is given. */
function authentication(endpoint: Endpoint): AnyAuthMethod[] {
  const { user: username, password } = endpoint;
  const agent = agentSocket(endpoint);
  return [
    { type: "none", username },
    ...(endpoint.privateKey === undefined
      ? []
      : [{ type: "publickey" as const, username, key: parsePrivateKey(endpoint) }]),
    ...(password === undefined
      ? []
      : [
          { type: "password" as const, username, password },
          {
            type: "keyboard-interactive" as const,
            username,
            prompt: (
              _name: string,
              _instructions: string,
              _language: string,
              prompts: unknown[],
              answer: (answers: string[]) => void,
            ) => answer(prompts.map(() => password)),
          },
        ]),
    ...(agent === undefined ? [] : [{ type: "agent" as const, username, agent }]),
  ];
}

function agentSocket({ agentSocketPath }: Endpoint): string | undefined {
  return agentSocketPath ?? (process.env["SSH_AUTH_SOCK"] || undefined);
}

/** An agent that does not answer is an error at once, even where a key is given too. */
async function checkAgent(endpoint: Endpoint): Promise<void> {
  const path = agentSocket(endpoint);
  if (path === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const socket = createConnection(path, () => {
      socket.end();
      resolve();
    });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`dial unix ${path}: ${dialError(error)}`)),
    );
  });
}

function parseHostKey(line: string): { type: string; blob: Buffer } {
  const [type, base64] = line.trim().split(/\s+/);
  const blob = Buffer.from(base64 ?? "", "base64");
  const named = blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString() : "";
  if (type === undefined || named !== type) {
    throw new Error("failed to parse host key: ssh: no key found");
  }
  return { type, blob };
}

function parsePrivateKey({ privateKey, privateKeyPassword }: Endpoint): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(privateKey ?? "", privateKeyPassword);
  // A file of several keys gives a list, which the types do not know.
  const [key] = Array.isArray(parsed) ? (parsed as ssh2.ParsedKey[]) : [parsed];
  if (key === undefined || key instanceof Error) {
    const reason = key?.message ?? "";
    if (/no passphrase given/.test(reason)) throw new Error("ssh: this private key is passphrase protected");
    if (/passphrase/.test(reason)) throw new Error("x509: decryption password incorrect");
    throw new Error("ssh: no key found");
  }
  return key;
}

function handshakeError(error: Error, endpoint: Endpoint): string {
  if (/Host denied/.test(error.message)) return "ssh: host key mismatch";
  if (/All configured authentication methods failed/.test(error.message)) {
    const attempted = authentication(endpoint).map(({ type }) => (type === "agent" ? "publickey" : type));
    return `ssh: unable to authenticate, attempted methods [${[...new Set(attempted)].join(" ")}], no supported methods remain`;
  }
  if (/no matching host key format/.test(error.message)) {
    return `ssh: no common algorithm for host key; we offered: [${endpoint.hostKey?.split(" ")[0] ?? ""}]`;
  }
  return error.message;
}

function dialError(error: NodeJS.ErrnoException): string {
  const texts: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connect: connection refused",
    ECONNRESET: "read: connection reset by peer",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ENOENT: "connect: no such file or directory",
    ETIMEDOUT: "connect: connection timed out",
    ENOTFOUND: "no such host",
  };
  return texts[error.code ?? ""] ?? error.message;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
