// moto's server, which answers as AWS does, for tests: all of AWS's services at one address on loopback.
import { createServer } from "node:net";
import { execa } from "execa";

const startSeconds = 60;

export interface Moto {
  /** What every service's endpoint is. */
  url: string;
  /** Forgets everything, so that no test sees what another has made. */
  reset: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts moto and waits until it answers. It ends with the test run, even where nobody stops it. */
export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const server = execa("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { reject: false, all: true });
  let ended = false;
  void server.then(() => (ended = true));
  const url = `http://127.0.0.1:${port}/`;
  const stop = async () => {
    server.kill();
    await server;
  };
  for (const deadline = Date.now() + startSeconds * 1000; ;) {
    const answer = await fetch(new URL("moto-api/data.json", url)).catch((error: Error) => error);
    if (!(answer instanceof Error) && answer.ok) break;
    if (ended) throw new Error(`moto_server ended before it answered:\n${(await server).all}`);
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`moto_server does not answer within ${startSeconds} seconds`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const reset = async () => {
    const { ok, status } = await fetch(new URL("moto-api/reset", url), { method: "POST" });
    if (!ok) throw new Error(`moto should forget everything, but answers ${status}`);
  };
  return { url, reset, stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
