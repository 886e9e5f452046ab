/** The notes' users: read and write without a pause until SIGTERM, then say what they saw: client.ts ADDRESS MESSAGE */
import { request } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

const [address, message] = process.argv.slice(2);
const seen = {
  requests: 0,
  pages: 0,
  failures: [] as string[],
  written: [] as number[],
  hosts: [] as string[],
};
let stopped = false;
process.once("SIGTERM", () => (stopped = true));

/** One request over a connection of its own. */
async function ask(body: string | undefined) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    retry: boolean;
    host: string;
    text: string;
  }>();
  const headers = {
    Host: "notes.example.net",
    ...(body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) }),
  };
  const sent = request({
    host: address!,
    path: "/",
    method: body === undefined ? "GET" : "POST",
    headers,
    agent: false,
    timeout: 30_000,
  });
  sent.on("error", reject);
  sent.on("timeout", () => sent.destroy(new Error("no answer within 30 seconds")));
  sent.on("response", (response) => {
    textOf(response).then(
      (text) =>
        resolve({
          status: response.statusCode ?? 0,
          retry: response.headers["retry-after"] !== undefined,
          host: String(response.headers["x-served-by"]),
          text,
        }),
      reject,
    );
  });
  sent.end(body);
  return promise;
}

/** Reads or writes; the maintenance page is no failure. */
async function visit(turn: number): Promise<void> {
  const write = turn % 3 === 0;
  seen.requests++;
  try {
    const { status, retry, host, text } = await ask(write ? `note of a user ${turn}` : undefined);
    if (status === 503 && retry && text.includes(message!)) seen.pages++;
    else if (status !== 200) seen.failures.push(`${status} ${text.slice(0, 200)}`);
    else {
      if (write) seen.written.push(Number(text));
      if (seen.hosts.at(-1) !== host) seen.hosts.push(host);
    }
  } catch (error) {
    seen.failures.push(String(error));
  }
}

console.log("started");
for (let turn = 0; !stopped; turn++) {
  const began = Date.now();
  await visit(turn);
  // A busy machine is not asked for more than it can do.
  await pause(Math.max(30, Date.now() - began));
}
console.log(JSON.stringify(seen));
