/** What a watch tells, and what it asks. */
import { describe, expect, it } from "vitest";
import { toMilliseconds } from "../../../cli/durations.ts";
import type { NameAnswer } from "../../../cli/names.ts";
import { type Probed, Tally } from "../../../cli/watch/tally.ts";
import { aims, movePlaces } from "../../../cli/watch/targets.ts";
import { eventLine, liveLine, probeJson, summaryJson, summaryTable } from "../../../cli/watch/text.ts";
import { parseConfig } from "../../../stacks/config.ts";
import { complete } from "../settings.ts";

const probed = (changes: Partial<Probed> = {}): Probed => ({
  at: Date.parse("2026-11-22T02:00:00.120Z"),
  name: "shop.example.org",
  address: "198.51.100.10",
  via: ["old"],
  latency: 12.34,
  outcome: "ok",
  status: 200,
  marker: true,
  servedBy: "old",
  certificate: { valid: true, error: null, expires: "2027-01-01T00:00:00.000Z" },
  error: null,
  ...changes,
});
const failure: Partial<Probed> = { outcome: "failed", status: null, error: "ECONNREFUSED\u001b[2J" };

/** What a tally has after some probes. */
function seen(...all: Probed[]): Tally {
  const tally = new Tally();
  for (const one of all) tally.add(one);
  return tally;
}

describe("aims", () => {
  const page = { port: 443, path: "/", marker: "", status: 200, maintenance: "" };
  const answer = (server: string, data: string[], type = "A"): NameAnswer => ({
    server,
    name: "shop.example.org",
    type,
    ttl: 60,
    data,
    leads: "elsewhere",
  });
  it("are every name at every address, each once, with all who lead there", () => {
    const settings = parseConfig(complete);
    const found = aims(
      settings.site.names,
      movePlaces(settings),
      [
        answer("ns1", ["198.51.100.20"]),
        answer("ns2", ["203.0.113.9"]),
        answer("ns2", ["shop.net"], "CNAME"),
      ],
      page,
    );
    expect(found.map(({ target, via }) => `${target.name} ${target.address} ${via.join("+")}`)).toEqual([
      "shop.example.org 198.51.100.10 old",
      "shop.example.org 198.51.100.20 new+dns ns1",
      "shop.example.org 203.0.113.9 dns ns2",
      "www.shop.example.org 198.51.100.10 old",
      "www.shop.example.org 198.51.100.20 new",
    ]);
  });
});

describe("Tally", () => {
  it("counts new's failures from its first right answer on, or once a name leads there", () => {
    const fresh = { address: "198.51.100.20", via: ["new"] };
    const tally = seen(probed({ ...fresh, ...failure }), probed(fresh), probed({ ...fresh, ...failure }));
    expect(tally.all).toMatchObject([{ ok: 1, failed: 1, notYet: 1 }]);
    expect(seen(probed({ ...fresh, ...failure, via: ["new", "dns ns1"] })).failed).toBe(1);
    expect(seen(probed(failure)).failed).toBe(1);
  });

  it("puts names together by address, and takes the maintenance page for no failure", () => {
    const tally = seen(
      probed(),
      probed({ name: "www.shop.example.org", outcome: "maintenance", latency: 50 }),
    );
    expect(tally.byAddress).toMatchObject([{ address: "198.51.100.10", ok: 1, maintenance: 1, failed: 0 }]);
    expect(tally.byAddress[0]!.latencies.max).toBe(50);
    expect(tally.failed).toBe(0);
  });
});

describe("texts of a watch", () => {
  it("have stable keys for programs", () => {
    expect(JSON.parse(probeJson(probed(), "ok"))).toMatchInlineSnapshot(`
      {
        "address": "198.51.100.10",
        "certificate": {
          "error": null,
          "expires": "2027-01-01T00:00:00.000Z",
          "valid": true,
        },
        "error": null,
        "latencyMilliseconds": 12.3,
        "marker": true,
        "name": "shop.example.org",
        "outcome": "ok",
        "servedBy": "old",
        "status": 200,
        "time": "2026-11-22T02:00:00.120Z",
        "via": [
          "old",
        ],
      }
    `);
    expect(JSON.parse(summaryJson(seen(probed()).all, 61.23, 0))).toMatchInlineSnapshot(`
      {
        "summary": {
          "nameErrors": 0,
          "seconds": 61.2,
          "targets": [
            {
              "address": "198.51.100.10",
              "certificateExpires": "2027-01-01T00:00:00.000Z",
              "failed": 0,
              "maintenance": 0,
              "maxMilliseconds": 12.3,
              "name": "shop.example.org",
              "notYet": 0,
              "ok": 1,
              "p50Milliseconds": 12.3,
              "p99Milliseconds": 12.3,
              "via": [
                "old",
              ],
            },
          ],
        },
      }
    `);
  });

  it("tell people each address in one line, and a failure as it is now", () => {
    const tally = seen(probed(), probed({ ...failure, latency: 10_000 }));
    expect(liveLine(tally.byAddress, 61.4)).toBe(
      "61 s | old 198.51.100.10: 1 ok, 1 failed (NOW), p50 12.3 p99 10000 max 10000 ms",
    );
  });

  it("tell when a failure begins and ends, and nothing between", () => {
    const tally = new Tally();
    const tell = (one: Probed) => {
      const { counted, before } = tally.add(one);
      return eventLine(one, counted, before);
    };
    const later = (seconds: number) => probed().at + seconds * 1000;
    expect(tell(probed())).toBeUndefined();
    expect(tell(probed(failure))).toBe(
      "02:00:00.120 old 198.51.100.10 shop.example.org: FAILED: ECONNREFUSED?[2J (12.3 ms)",
    );
    expect(tell(probed({ ...failure, at: later(1) }))).toBeUndefined();
    expect(tell(probed({ at: later(2) }))).toMatch(/: ok again after 2 failures in 2 s$/);
    expect(tell(probed({ outcome: "maintenance" }))).toMatch(/: shows the maintenance page$/);
  });

  it("end with a table", () => {
    const fresh = { address: "198.51.100.20", via: ["new", "dns ns1"] };
    const tally = seen(probed(), probed(failure), probed(fresh));
    expect(summaryTable(tally.all, 61, 2)).toMatchInlineSnapshot(`
      "Watched for 61 s: 1 probe failed, 2 questions to name servers got no answer.
        address        leads there  name              ok  page  failed  p50 ms  p99 ms  max ms  certificate until
        198.51.100.10  old          shop.example.org  1   0     1       12.3    12.3    12.3    2027-01-01         last: ECONNREFUSED?[2J
        198.51.100.20  new+dns ns1  shop.example.org  1   0     0       12.3    12.3    12.3    2027-01-01"
    `);
    expect(summaryTable(seen(probed()).all, 61, 0)).toContain("Watched for 61 s: nothing failed.");
  });
});

describe("toMilliseconds", () => {
  it.each([
    ["200ms", 200],
    ["200 ms", 200],
    ["1.5 seconds", 1500],
    ["1 s", 1000],
    ["2 minutes", 120_000],
    ["1h", 3_600_000],
  ])("reads %s", (text, expected) => expect(toMilliseconds(text)).toBe(expected));

  it.each(["", "5", "5 parsecs", "-1 s", "1 s 1 s", "constructor"])("refuses %j", (text) => {
    expect(() => toMilliseconds(text)).toThrow('should be a number and a unit, for example "200 ms"');
  });

  it("refuses what is too little", () => {
    expect(() => toMilliseconds("5 ms", 20)).toThrow("at least 20 ms");
  });
});
