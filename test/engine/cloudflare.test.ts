// The names at Cloudflare, through the real engine: adopted, lowered, led to new and back, and in the end with their TTL again.
import { mkdirSync, rmSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ApiRecord, type CloudflareDouble, startCloudflare } from "./cloudflareApi.ts";
import { addresses, fresh, Move, names, nothing, old } from "./part/move.ts";
import { type NameServerDouble, type ServedRecord, startNameServer } from "./nameServer.ts";

const token = "canary-of-the-token-that-may-edit-the-zone";
const reader = "canary-of-the-token-that-may-only-read-it";

describe("at Cloudflare", () => {
  const begin: Omit<ApiRecord, "id">[] = [
    {
      name: "example.org",
      type: "A",
      content: old,
      ttl: 3600,
      proxied: false,
      comment: "by hand",
      tags: ["a:b"],
    },
    { name: "example.org", type: "AAAA", content: "2001:db8::10", ttl: 1, proxied: false },
    { name: "example.org", type: "MX", content: "mail.example.org", ttl: 3600, proxied: false },
    { name: "www.example.org", type: "CNAME", content: "example.org", ttl: 600, proxied: false },
    { name: "*.example.org", type: "A", content: old, ttl: 60, proxied: false },
    { name: "shop.example.org", type: "A", content: old, ttl: 1, proxied: true, comment: "behind the proxy" },
    { name: "mail.example.org", type: "A", content: "198.51.100.99", ttl: 3600, proxied: false },
  ];
  let api: CloudflareDouble;
  let dns: NameServerDouble;
  let move: Move;
  /** Every change, with the journal as it stood then. */
  let writes: { line: string; journal: string[] }[];

  beforeAll(async () => {
    writes = [];
    api = await startCloudflare({
      zone: "example.org",
      records: begin,
      tokens: { [token]: { edit: true }, [reader]: { edit: false } },
      pageSize: 1,
      onWrite: (method, { name, type, content, ttl }) =>
        writes.push({ line: `${method} ${name} ${type} ${content} ${ttl}`, journal: move.journal() }),
    });
    dns = await startNameServer("example.org", () => serve(api.records));
    move = await new Move({
      dns: {
        provider: "cloudflare",
        zone: "example.org",
        token,
        api: `${api.url}`,
        server: "127.0.0.1",
        port: dns.port,
        ...addresses,
      },
    }).open();
    await sealToken(token);
  });
  afterAll(async () => {
    await move?.close();
    await dns?.close();
    await api?.close();
  });
  beforeEach(() => {
    writes = [];
  });

  const sealed: Record<string, unknown> = {};
  async function sealToken(value: string) {
    sealed["token"] = await move.stack.seal(value);
  }
  const up = (phase: string) => move.up(phase, sealed);
  const preview = (phase: string, more = {}) => move.preview(phase, { ...sealed, ...more });
  const moveTo = async (phase: string) => {
    const { exitCode, all } = await up(phase);
    if (exitCode !== 0) throw new Error(all);
  };
  /** What the zone holds, without ids. */
  const zone = () => sorted(api.records.map((record) => ({ ...record, id: undefined })));
  const sorted = (records: Omit<ApiRecord, "id">[]) => {
    const key = ({ name, type, content }: Omit<ApiRecord, "id">) => `${name} ${type} ${content}`;
    return records.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  };
  const lowered = begin.map((record) =>
    names.includes(record.name) && record.type !== "MX" && !record.proxied ? { ...record, ttl: 60 } : record,
  );
  const ledBy = (records: typeof begin) =>
    records.map((record) => ({
      ...record,
      content: record.content.replace(old, fresh).replace("::10", "::20"),
    }));

  test("preview says what is adopted, and changes nothing", async () => {
    const { exitCode, all } = await preview("idle");
    expect(all).toMatch(/= 5 to import/);
    expect(exitCode).toBe(0);
    expect(api.requests.filter((request) => !request.startsWith("GET "))).toEqual([]);
    expect(api.requests.some((request) => request.includes("page=2"))).toBe(true);
  });

  test("prepared adopts the records and lowers their TTL, in one run, and keeps what they were", async () => {
    await moveTo("prepared");
    expect(zone()).toEqual(sorted(lowered));
    expect(writes.map(({ line }) => line).toSorted()).toEqual([
      "PUT example.org A 198.51.100.10 60",
      "PUT example.org AAAA 2001:db8::10 60",
      "PUT www.example.org CNAME example.org 60",
    ]);
    for (const { journal } of writes) expect(journal).toEqual(["do dns-records"]);
    expect(move.journal()).toEqual(["do dns-records", "do dns-ttl"]);
  });

  test("a second up changes nothing, and the token is a secret in the state", async () => {
    expect((await up("prepared")).changes).toMatchObject(nothing);
    expect(writes).toEqual([]);
    const { text, resources } = await move.stack.exportState();
    expect(text).toContain("DnsRecord");
    expect(text).not.toContain(token);
    const records = resources.filter(({ type }) => type === "cloudflare:index/dnsRecord:DnsRecord");
    expect(records).toHaveLength(5);
    for (const { dependencies = [] } of records)
      expect(dependencies.map((urn) => urn.split("::").at(-1))).toEqual(["dns-records"]);
  });

  test("names do not lead to new before the old TTL has run out", async () => {
    const early = await preview("dns");
    expect(early.exitCode).not.toBe(0);
    expect(early.all).toMatch(/the TTL of before the move has run out, but it has not yet, for (1 h|59 min)/);
    move.passTime("dns-ttl");
    expect((await preview("dns")).exitCode).toBe(0);
  });

  test("what somebody else has changed is left alone", async () => {
    const [apex] = api.records;
    const shop = api.records.find(({ name }) => name === "shop.example.org")!;
    const keep = { apex: { ...apex! }, shop: { ...shop } };
    Object.assign(apex!, { content: "203.0.113.9", ttl: 120 });
    shop.proxied = false;
    api.records.push({
      id: "f".repeat(32),
      name: "example.org",
      type: "A",
      content: "203.0.113.8",
      ttl: 60,
      proxied: false,
    });
    const { all, exitCode } = await up("dns");
    expect(exitCode).not.toBe(0);
    expect(all).toContain(
      "Cloudflare, example.org A: leads to 198.51.100.10 or 198.51.100.20, as the move has left it, but somebody else has led it to 203.0.113.9",
    );
    expect(all).toContain(
      "Cloudflare, example.org A: has the TTL 3600 or 60, but somebody else has set it to 2 min",
    );
    expect(all).toContain(
      "Cloudflare, example.org A: was there when the move began, but somebody else has added it",
    );
    expect(all).toContain("Cloudflare, shop.example.org A: is proxied");
    expect(writes).toEqual([]);
    api.records.pop();
    Object.assign(apex!, keep.apex);
    Object.assign(shop, keep.shop);
  });

  test("names lead to new after the database, the proxied ones too; TTLs and notes stay", async () => {
    await moveTo("dns");
    expect(zone()).toEqual(sorted(ledBy(lowered)));
    expect(writes).toHaveLength(4);
    for (const { journal } of writes) expect(journal.at(-1)).toBe("do database");
    expect(move.journal().at(-1)).toBe("do dns-lead");
    expect((await up("dns")).changes).toMatchObject(nothing);
  });

  test("a run that is cut off between the records and the step is taken up, there and back", async () => {
    rmSync(join(move.folder, "dns-lead"), { recursive: true });
    expect((await preview("dns")).exitCode).toBe(0);
    expect((await preview("database")).exitCode).toBe(0);
  });

  test("finished waits until nobody can be led to old any more", async () => {
    const { folder } = move;
    // As the run that was cut off above would have left it.
    mkdirSync(join(folder, "dns-lead"));
    writeFileSync(join(folder, "dns-lead/done"), "");
    writeFileSync(join(folder, "dns-lead/until"), String(Math.round(Date.now() / 1000) + 60));
    const early = await preview("finished");
    expect(early.all).toMatch(/the answers that lead to old has run out, but it has not yet/);
  });

  test("on the way back names lead to old again before the database goes back", async () => {
    await moveTo("idle");
    expect(zone()).toEqual(sorted(begin));
    expect(writes).toHaveLength(5);
    for (const { journal } of writes) expect(journal.filter((line) => line.startsWith("undo"))).toEqual([]);
    expect(move.journal().slice(-4)).toEqual([
      "undo dns-lead",
      "undo database",
      "undo dns-ttl",
      "undo dns-records",
    ]);
    expect((await up("idle")).changes).toMatchObject(nothing);
    expect(existsSync(join(move.folder, "dns-records"))).toBe(false);
  });

  test("what is changed between two moves is what the second begins with", async () => {
    const www = api.records.find(({ name }) => name === "www.example.org")!;
    www.ttl = 900;
    await moveTo("prepared");
    await moveTo("idle");
    expect(www.ttl === 900 || api.records.find(({ name }) => name === "www.example.org")!.ttl === 900).toBe(
      true,
    );
    api.records.find(({ name }) => name === "www.example.org")!.ttl = 600;
  });

  test("a failing API stops nothing half-way: what is over in a moment is tried again", async () => {
    api.fail(/^GET \/zones$/, { status: 429, headers: { "retry-after": "1" } }, { status: 502 });
    api.fail(/^PUT /, { status: 429, headers: { "retry-after": "1" } }, { status: 500 }, { status: 502 });
    await moveTo("prepared");
    expect(zone()).toEqual(sorted(lowered));
    api.fail(/^PUT /, { status: 400, code: 81_057, message: "The record already exists." });
    move.passTime("dns-ttl");
    const { exitCode, all } = await up("dns");
    expect(exitCode).not.toBe(0);
    expect(all).toContain("The record already exists.");
    expect(move.journal().at(-1)).toBe("do database");
    await moveTo("dns");
    expect(zone()).toEqual(sorted(ledBy(lowered)));
    await moveTo("idle");
    expect(zone()).toEqual(sorted(begin));
  });

  test("a token that is wrong, or may too little, is told with the right that it needs", async () => {
    const rights = "with the rights Zone / Zone / Read and Zone / DNS / Edit for example.org";
    const wrong = await preview("prepared", { token: "a-token-that-cloudflare-does-not-know" });
    expect(wrong.all).toContain("Cloudflare says 403: Invalid access token (9109)");
    expect(wrong.all).toContain(rights);
    const few = await preview("prepared", { token: await move.stack.seal(reader) });
    expect(few.exitCode).toBe(0);
    expect(few.all).toContain("may edit the DNS records of example.org, but Cloudflare names #zone:read");
    const elsewhere = await preview("prepared", { zone: "other.example", names: "other.example" });
    expect(elsewhere.all).toContain("the token sees no zone other.example");
    expect(writes).toEqual([]);
  });

  test("an API that does not answer is told", async () => {
    api.fail(/^GET \/zones$/, ...Array<{ status: number }>(4).fill({ status: 503 }));
    const { all, exitCode } = await preview("prepared");
    expect(exitCode).not.toBe(0);
    expect(all).toMatch(/Cloudflare's API \(http.*\): tells what the zone holds, but it says 503.*4 times/);
  });

  test("addresses that lack on new are told", async () => {
    const { all } = await preview("prepared", { new: [fresh] });
    expect(all).toContain(
      "changeover:dns.new: holds as many addresses as example.org has AAAA records (1), but there are 0",
    );
  });

  test("finished gives the TTL back, and the records stay when Pulumi leaves", async () => {
    await moveTo("prepared");
    move.passTime("dns-ttl");
    await moveTo("dns");
    move.passTime("dns-lead");
    await moveTo("finished");
    expect(zone()).toEqual(sorted(ledBy(begin)));
    expect((await up("finished")).changes).toMatchObject(nothing);
    writes = [];
    expect((await move.stack.destroy()).exitCode).toBe(0);
    expect(writes).toEqual([]);
    expect(zone()).toEqual(sorted(ledBy(begin)));
  });
});

/** What Cloudflare's own servers would serve: for proxied names, the proxy's addresses. */
function serve(records: readonly ApiRecord[]): ServedRecord[] {
  return records.flatMap(({ name, type, content, ttl, proxied }) => {
    if (type !== "A" && type !== "AAAA" && type !== "CNAME") return [];
    return [{ name, type, ttl: ttl === 1 ? 300 : ttl, data: proxied ? "104.16.0.1" : content }];
  });
}
