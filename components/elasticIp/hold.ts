/** Holds users' new connections to a server back while the Elastic IP that they come by goes over: no request is cut off by it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { askPass, lastError, writeSshFiles } from "../facts/inspect.ts";
import { asRoot, assignments, scriptBeside } from "../script.ts";
import type { Access, Side } from "../server.ts";

/** A hold under way. */
export interface Hold {
  /** How many connections had not ended in time: they are cut off when the address goes over. */
  open: number;
  /** Lets users through again. */
  release: () => Promise<void>;
}

/** What is held. */
export interface HoldOrder {
  access: Access;
  /** The ports on which users come. */
  ports: readonly number[];
  /** How long open connections may take to end, in seconds. */
  drainSeconds: number;
}

const beatMilliseconds = 1000;
/** Seconds without a word from here after which the server lets users through. */
const patience = 3;
/** The longest that its kernel holds them, in seconds, whatever becomes of everything else. */
const longest = 60;
/** How long the server may take to be reached, in seconds. */
const reachSeconds = 15;

/**
 * Holds new connections to a server back until `release`, until this program ends, or the server hears nothing of it.
 * @throws Error saying why the server cannot.
 */
export async function holdConnections(order: HoldOrder, side: Side): Promise<Hold> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-"));
  const { access, drainSeconds } = order;
  const configFile = writeSshFiles(folder, access);
  const command = `${asRoot(access[side].user)}bash -s`;
  const ssh = execa("ssh", ["-F", configFile, side, command], {
    env: askPass(folder, access.privateKeyPassphrase),
    reject: false,
  });
  // A server that is gone by now is told by its exit.
  ssh.stdin.on("error", () => {});
  const settings = {
    PORTS: order.ports.map(String),
    DRAIN: drainSeconds,
    PATIENCE: patience,
    LONGEST: longest,
  };
  ssh.stdin.write(
    ["set -uo pipefail", assignments(settings), scriptBeside(import.meta.url, "hold.sh"), "hold", ""].join(
      "\n",
    ),
  );
  const beat = setInterval(() => ssh.stdin.write("on\n"), beatMilliseconds);
  const limit = setTimeout(() => ssh.kill(), (reachSeconds + drainSeconds) * 1000);
  const end = async (): Promise<string> => {
    clearInterval(beat);
    ssh.stdin.end("release\n");
    const stuck = setTimeout(() => ssh.kill(), reachSeconds * 1000);
    const { stderr, shortMessage } = await ssh;
    clearTimeout(stuck);
    rmSync(folder, { recursive: true, force: true });
    return lastError(stderr) ?? shortMessage ?? "it ended at once";
  };
  const open = await new Promise<number | undefined>((resolve) =>
    createInterface(ssh.stdout)
      .on("line", (line) => {
        const held = /^held (\d+)$/.exec(line);
        if (held) resolve(Number(held[1]));
      })
      .on("close", () => resolve(undefined)),
  );
  clearTimeout(limit);
  if (open === undefined) throw new Error(await end());
  return { open, release: async () => void (await end()) };
}
