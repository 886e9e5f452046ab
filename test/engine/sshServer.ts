// A small SSH server on loopback that runs commands with /bin/sh, as the far side of the tests of the command provider's double.
import { spawn } from "node:child_process";
import { createConnection } from "node:net";
import ssh2, { type Connection, type Session } from "ssh2";

export interface Keys {
  readonly private: string;
  /** One line, as in known_hosts after the name. */
  readonly public: string;
}

export interface SshServer {
  readonly port: number;
  readonly hostKey: Keys;
  /** Who signed in, in order. */
  readonly logins: string[];
  readonly close: () => Promise<void>;
}

export interface SshServerOptions {
  readonly hostKey?: Keys;
  /** The key that may sign in. */
  readonly clientKey?: Keys;
  readonly password?: string;
  /** Names of variables that are taken, as sshd's AcceptEnv. */
  readonly acceptEnv?: readonly string[];
}

/** A fresh ed25519 key pair, encrypted where a passphrase is given. */
export function generateKeys(passphrase?: string): Keys {
  const encryption = passphrase === undefined ? undefined : { passphrase, cipher: "aes256-ctr", rounds: 4 };
  for (;;) {
    const keys = ssh2.utils.generateKeyPairSync("ed25519", encryption);
    // One in some hundred pairs that ssh2 makes cannot be read again.
    if (!(ssh2.utils.parseKey(keys.private, passphrase) instanceof Error)) return keys;
  }
}

/** A fresh RSA key pair. */
export function generateRsaKeys(): Keys {
  return ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
}

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const hostKey = options.hostKey ?? generateKeys();
  const logins: string[] = [];
  const open = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    open.add(connection);
    // Each command would take half a second longer without; the types do not know it.
    (connection as Connection & { setNoDelay: (on: boolean) => void }).setNoDelay(true);
    authenticate(connection, options, logins);
    connection.on("error", () => {});
    connection.on("close", () => open.delete(connection));
    connection.on("session", (accept) => serveSession(accept(), options.acceptEnv ?? []));
    connection.on("tcpip", (accept, _reject, { destIP, destPort }) => {
      const target = createConnection(destPort, destIP);
      target.on("error", () => target.destroy());
      target.pipe(accept()).pipe(target);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    hostKey,
    logins,
    close: async () => {
      for (const connection of open) connection.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function authenticate(
  connection: Connection,
  { clientKey, password }: SshServerOptions,
  logins: string[],
): void {
  connection.on("authentication", (context) => {
    const byKey =
      context.method === "publickey" &&
      clientKey !== undefined &&
      context.key.data.toString("base64") === clientKey.public.split(" ")[1];
    const byPassword =
      context.method === "password" && password !== undefined && context.password === password;
    if (!byKey && !byPassword) return context.reject(["publickey", "password"]);
    if (context.method !== "publickey" || context.signature)
      logins.push(`${context.username} ${context.method}`);
    context.accept();
  });
}

function serveSession(session: Session, acceptEnv: readonly string[]): void {
  const env = { ...process.env };
  session.on("env", (accept: (() => void) | undefined, reject: (() => void) | undefined, { key, val }) => {
    if (!acceptEnv.includes(key)) return void reject?.();
    env[key] = val;
    accept?.();
  });
  session.on("exec", (accept, _reject, { command }) => {
    const channel = accept();
    const child = spawn("/bin/sh", ["-c", command], { env });
    channel.pipe(child.stdin);
    child.stdin.on("error", () => {});
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.on("close", (code, signal) => {
      if (signal) channel.exit(signal.replace("SIG", ""), false, "");
      else channel.exit(code ?? 0);
      channel.end();
    });
  });
}
