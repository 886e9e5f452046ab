/** A watch over a site that answers, stalls, shows its maintenance page, has a wrong certificate, or is not there. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { probe, type Target } from "../../../components/probe/probe.ts";
import type { Aim } from "../../../cli/watch/targets.ts";
import { type Probed, Tally } from "../../../cli/watch/tally.ts";
import { watch } from "../../../cli/watch/watch.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-watch-"));
const servers: Server[] = [];
let key: Buffer;
let cert: Buffer;
beforeAll(async () => {
  const names = "subjectAltName=DNS:shop.example.org";
  await execa(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=shop.example.org",
      "-addext",
      names,
      "-keyout",
      "key.pem",
      "-out",
      "cert.pem",
    ],
    { cwd: folder },
  );
  key = readFileSync(join(folder, "key.pem"));
  cert = readFileSync(join(folder, "cert.pem"));
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A site that answers so; where it is. */
async function site(answer: RequestListener): Promise<Target> {
  const server = createServer({ key, cert }, answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    name: "shop.example.org",
    address: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    path: "/health",
    marker: "ok",
    status: 200,
    maintenance: "We move &amp; come back",
    ca: cert.toString(),
  };
}
const fine: RequestListener = (_, response) =>
  response.writeHead(200, { "X-Served-By": "new" }).end("all ok");

describe("probe", () => {
  it("tells who answered, and until when the certificate is valid", async () => {
    const answer = await probe(await site(fine), 5000);
    expect(answer).toMatchObject({ outcome: "ok", status: 200, marker: true, servedBy: "new", error: null });
    expect(answer.certificate).toMatchObject({ valid: true, error: null });
    expect(Date.parse(answer.certificate!.expires)).toBeGreaterThan(Date.now());
  });

  it.each([
    [
      "another status",
      { answer: (_, response) => response.writeHead(502).end("ok") },
      "status 502 instead of 200",
    ],
    ["no marker", { answer: (_, response) => response.end("welcome") }, 'the page does not hold "ok"'],
    [
      "a certificate of another name",
      { answer: fine, change: { name: "www.example.org" } },
      "certificate: ERR_TLS_CERT_ALTNAME_INVALID",
    ],
    [
      "an authority that nobody knows",
      { answer: fine, change: { ca: undefined } },
      "certificate: DEPTH_ZERO_SELF_SIGNED_CERT",
    ],
    [
      "an answer that is cut off",
      {
        answer: (_, response) => {
          response.writeHead(200, { "Content-Length": "9" }).write("ok");
          setImmediate(() => response.destroy());
        },
      },
      /ECONNRESET|cut off|aborted/,
    ],
    ["no answer", { answer: () => undefined }, "no answer within 300 ms"],
  ] satisfies [string, { answer: RequestListener; change?: Partial<Target> }, string | RegExp][])(
    "fails with %s",
    async (_, { answer, ...rest }, error) => {
      const change = "change" in rest ? rest.change : {};
      const seen = await probe({ ...(await site(answer)), ...change }, 300);
      expect(seen.outcome).toBe("failed");
      expect(seen.error).toMatch(error);
    },
  );

  it("fails where nobody listens", async () => {
    const target = await site(fine);
    servers[0]!.close();
    expect(await probe(target, 1000)).toMatchObject({
      outcome: "failed",
      error: "ECONNREFUSED",
      certificate: null,
    });
  });

  it("takes the maintenance page for what it is", async () => {
    const page: RequestListener = (_, response) =>
      response.writeHead(503).end("<p>We move &amp; come back</p>");
    expect(await probe(await site(page), 5000)).toMatchObject({
      outcome: "maintenance",
      status: 503,
      error: null,
    });
    const other: RequestListener = (_, response) => response.writeHead(503).end("overloaded");
    expect(await probe(await site(other), 5000)).toMatchObject({ outcome: "failed" });
  });
});

/** Watches until a condition holds of what was seen; every probe. */
async function watchUntil(
  aims: Aim[],
  enough: (all: Probed[]) => boolean,
  deadline = 5000,
): Promise<{ all: Probed[]; tally: Tally }> {
  const stop = new AbortController();
  const all: Probed[] = [];
  const { tally } = await watch(
    {
      interval: 100,
      deadline,
      namesInterval: 1000,
      askNames: () => Promise.resolve([]),
      aimsOf: () => aims,
      stop: stop.signal,
      grace: () => deadline,
    },
    {
      onProbe: (probed) => {
        all.push(probed);
        if (enough(all)) stop.abort();
      },
      onNameError: () => undefined,
      onSkipped: () => undefined,
    },
  );
  return { all, tally };
}

describe("watch", () => {
  it("counts a stall as all the probes that were due in it, each from its own time", async () => {
    let asked = 0;
    let from = Infinity;
    let until = Infinity;
    const target = await site((request, response) => {
      if (++asked === 3) [from, until] = [Date.now(), Date.now() + 2000];
      setTimeout(() => fine(request, response), asked < 3 ? 0 : Math.max(0, until - Date.now()));
    });
    const { all, tally } = await watchUntil([{ target, via: ["old"] }], (seen) =>
      seen.some(({ at }) => at > until + 300),
    );
    const clocks = 20;
    const inStall = all
      .filter(({ at }) => at > from && at < until)
      .toSorted((one, other) => one.at - other.at);
    // From its begin to its end there is one wherever one was due.
    expect(inStall[0]!.at - from).toBeLessThanOrEqual(100 + clocks);
    expect(until - inStall.at(-1)!.at).toBeLessThanOrEqual(100 + clocks);
    for (const { at, latency } of inStall) expect(at + latency).toBeGreaterThanOrEqual(until - clocks);
    for (const [index, { at }] of inStall.slice(1).entries())
      expect(Math.round(at - inStall[index]!.at)).toBe(100);
    expect(tally.all[0]!.latencies.max).toBe(Math.max(...all.map(({ latency }) => latency)));
  });

  it("goes on with the others where one address hangs, and does not count new before it serves", async () => {
    const mute = await site(() => undefined);
    const good = await site(fine);
    const nobody = { ...good, address: "127.0.0.2" };
    const { tally } = await watchUntil(
      [
        { target: { ...mute, name: "mute.example.org" }, via: ["dns ns1"] },
        { target: good, via: ["old"] },
        { target: nobody, via: ["new"] },
      ],
      (seen) => seen.filter(({ outcome }) => outcome === "ok").length >= 5,
      400,
    );
    const [hanging, old, fresh] = [
      "mute.example.org 127.0.0.1",
      "shop.example.org 127.0.0.1",
      "shop.example.org 127.0.0.2",
    ].map((key) => tally.all.find(({ name, address }) => `${name} ${address}` === key));
    expect(old).toMatchObject({ failed: 0 });
    expect(old!.ok).toBeGreaterThanOrEqual(5);
    expect(hanging).toMatchObject({ ok: 0, lastError: "no answer within 400 ms" });
    expect(hanging!.failed).toBeGreaterThanOrEqual(5);
    expect(fresh).toMatchObject({ ok: 0, failed: 0 });
    expect(fresh!.notYet).toBeGreaterThanOrEqual(5);
    expect(tally.failed).toBe(hanging!.failed);
  });
});
