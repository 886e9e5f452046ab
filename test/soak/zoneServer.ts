/**
 * A zone at Cloudflare inside the lab's network: the API on a port of loopback, and a name server that serves what it holds. Prints
 * every change, a line each.
 */
import { type ApiRecord, startCloudflare } from "../engine/cloudflareApi.ts";
import { startNameServer } from "../engine/nameServer.ts";

const [token = "", records = "[]"] = process.argv.slice(2);
const api = await startCloudflare({
  zone: "example.org",
  records: JSON.parse(records) as ApiRecord[],
  tokens: { [token]: { edit: true } },
  port: 8053,
  onWrite: (method, { name, type, content, ttl }) =>
    process.stdout.write(`${method} ${name} ${type} ${content} ${ttl}\n`),
});
await startNameServer(
  "example.org",
  () =>
    api.records.flatMap(({ name, type, content, ttl, proxied }) =>
      type === "A" || type === "AAAA" || type === "CNAME"
        ? [{ name, type, ttl: ttl === 1 ? 300 : ttl, data: proxied ? "104.16.0.1" : content }]
        : [],
    ),
  8053,
);
process.stdout.write("ready\n");
