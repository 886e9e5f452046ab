/**
 * Users on slow lines: each upload takes a second and is asked for at once when it is acknowledged. In the lab's network:
 * lab/run node test/lab/slowUploads.ts ADDRESS CA, until SIGTERM; then prints what was done and what failed, as JSON.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

const [address = "", ca = ""] = process.argv.slice(2);
const run = randomBytes(4).toString("hex");
const failures: string[] = [];
let done = 0;
let ended = false;
process.once("SIGTERM", () => (ended = true));

/** What came back, and from which server. */
interface Answer {
  status: number;
  host: string;
  content: Buffer;
}

/** One call with a body that comes in two halves; status, server and body of the answer. */
async function ask(method: string, path: string, body: Buffer): Promise<Answer> {
  const sent = request({
    ...{ host: address, port: 443, method, path, agent: false, servername: "shop.example.org" },
    ca: readFileSync(ca),
    headers: { Host: "shop.example.org", "Content-Length": body.length },
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      const { statusCode: status = 0, headers } = response;
      const host = String(headers["x-served-by"]);
      buffer(response).then((content) => resolve({ status, host, content }), reject);
    });
  });
  if (body.length > 0) {
    sent.write(body.subarray(0, body.length / 2));
    await Promise.race([wait(1000), answer]);
    sent.write(body.subarray(body.length / 2));
  }
  sent.end();
  return answer;
}

/** Uploads and downloads, again and again. */
async function user(number: number): Promise<void> {
  await wait(number * 300);
  for (let turn = 0; !ended; turn += 1) {
    const path = `/uploads/client-slow-${run}-${number}-${turn}.bin`;
    const body = randomBytes(20_000);
    try {
      const began = Date.now();
      const stored = await ask("PUT", path, body);
      if (stored.status !== 201) throw new Error(`upload: ${stored.status}`);
      const took = Date.now() - began;
      const found = await ask("GET", path, Buffer.alloc(0));
      if (!found.content.equals(body))
        throw new Error(
          `download: ${found.status} from ${found.host}, stored on ${stored.host} in ${took} ms`,
        );
      done += 1;
    } catch (error) {
      failures.push(`${new Date().toISOString()} ${path}: ${String(error)}`);
    }
  }
}

await Promise.all([0, 1, 2, 3, 4].map(user));
console.log(JSON.stringify({ done, failures }));
