/** The key that opens the servers: from a secret setting, a file, or the agent; checked before anything is sent. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { askPass } from "../components/facts/inspect.ts";
import type { Access } from "../components/server.ts";
import { ConfigError, type MoveConfig, setCommand } from "./config.ts";

/**
 * How both servers are reached.
 * @throws ConfigError when the key cannot be read or opened, or when there is neither a key nor an agent.
 */
export async function readAccess(settings: MoveConfig): Promise<Access> {
  const { old, new: fresh, bastion } = settings;
  return { old, new: fresh, bastion, ...(await readKey(settings)) };
}

/** The settings that say what opens servers. */
type KeySettings = Pick<MoveConfig, "privateKey" | "privateKeyFile" | "privateKeyPassphrase">;

/** The key alone. */
export async function readKey(
  settings: KeySettings,
): Promise<Pick<Access, "privateKey" | "privateKeyPassphrase">> {
  const { privateKeyPassphrase } = settings;
  const privateKey = settings.privateKey ?? readKeyFile(settings.privateKeyFile);
  if (privateKey === undefined) requireAgent();
  else
    await openKey(
      privateKey,
      privateKeyPassphrase,
      settings.privateKey === undefined ? "privateKeyFile" : "privateKey",
    );
  return { privateKey, privateKeyPassphrase };
}

/** The text of the key file; `~/` stands for the operator's home. */
function readKeyFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file.replace(/^~(?=\/)/, homedir()), "utf8");
  } catch (error) {
    throw problem(
      "privateKeyFile",
      `should be a file that you can read, but is ${JSON.stringify(file)}: ${(error as Error).message}`,
    );
  }
}

/** Without a key, the agent has to be there. */
function requireAgent(): void {
  if (!process.env.SSH_AUTH_SOCK)
    throw problem(
      "privateKeyFile",
      "is missing, privateKey too, and no agent runs (SSH_AUTH_SOCK is not set): one of the three opens the servers",
    );
}

/** How long a key may take to be opened, in seconds: one with very many rounds of its passphrase takes a while. */
const openDeadline = 20;

/** Tries the key with its passphrase; neither is ever an argument or in the environment. */
async function openKey(key: string, passphrase: string | undefined, setting: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-"));
  try {
    const file = join(folder, "key");
    writeFileSync(file, key.endsWith("\n") ? key : `${key}\n`, { mode: 0o600 });
    const run = await execa("ssh-keygen", ["-y", "-f", file], {
      reject: false,
      stdin: "ignore",
      env: askPass(folder, passphrase),
      timeout: openDeadline * 1000,
    });
    if (run.exitCode === 0) return;
    if (run.exitCode === undefined)
      throw problem(
        setting,
        `could not be tried: ${run.shortMessage} (OpenSSH's ssh-keygen and ssh are needed here)`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  throw passphrase === undefined
    ? problem(
        setting,
        "should be a private key in OpenSSH or PEM form without a passphrase; for one with a passphrase set privateKeyPassphrase too",
      )
    : problem("privateKeyPassphrase", "should open the private key, but does not");
}

function problem(key: string, text: string): ConfigError {
  return new ConfigError([{ key: `changeover:${key}`, problem: text, remedy: setCommand([key]) }]);
}
