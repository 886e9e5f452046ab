// Asks for a page by each of some names, over and over, each time by a handshake of its own, until SIGTERM: node watchCertificates.ts
// ADDRESS CA-FILE NAME...; prints how often it asked, and what was wrong.
import { readFileSync } from "node:fs";
import { request } from "node:https";

const [address = "", caFile = "", ...names] = process.argv.slice(2);
const ca = readFileSync(caFile);
const failures: string[] = [];
let asked = 0;
let ended = false;
process.once("SIGTERM", () => (ended = true));

/** One request; what is wrong with its answer, if anything. */
function ask(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = request(
      {
        ...{ host: address, port: 443, path: "/health", ca, servername: name, agent: false, timeout: 30_000 },
        headers: { Host: name },
      },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode === 200 ? undefined : String(answer.statusCode)));
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer within 30 seconds")));
    sent.on("error", (error) => resolve(error.message));
    sent.end();
  });
}

while (!ended)
  for (const name of names) {
    const failure = await ask(name);
    asked += 1;
    if (failure !== undefined) failures.push(`${name}: ${failure}`);
  }
console.log(JSON.stringify({ asked, failures }));
