/** What becomes of adopted records, and what stands in the way of it. */
import { describe, expect, it } from "vitest";
import type { Zone } from "../../components/dns/provider.ts";
import {
  dataOfNew,
  type FoundRecord,
  longestKept,
  namesAsked,
  resourceName,
  type Stage,
  type Wanted,
  writtenAt,
} from "../../components/dns/records.ts";
import { zoneOf } from "../../components/dns/route53.ts";
import { checkRecords, type RecordsLook } from "../../components/dns/strangers.ts";

const [old, fresh] = ["198.51.100.10", "198.51.100.20"];
const wanted: Wanted = { ttl: 60, old: [old, "2001:db8::10"], new: [fresh, "2001:db8::20"], oneEach: true };
const record = (more: Partial<FoundRecord> = {}): FoundRecord => ({
  id: "zone/1",
  name: "shop.example.org",
  type: "A",
  ttl: 3600,
  seconds: more.ttl ?? 3600,
  data: [old],
  proxied: false,
  more: {},
  ...more,
});
const stages = {
  idle: { lowered: false, leads: false },
  prepared: { lowered: true, leads: false },
  dns: { lowered: true, leads: true },
  finished: { lowered: false, leads: true },
} satisfies Record<string, Stage>;

describe("a record", () => {
  it.each<[string, Partial<FoundRecord>, Record<keyof typeof stages, [number, string]>]>([
    ["of an hour", {}, { idle: [3600, old], prepared: [60, old], dns: [60, fresh], finished: [3600, fresh] }],
    [
      "that is short already",
      { ttl: 30 },
      { idle: [30, old], prepared: [30, old], dns: [30, fresh], finished: [30, fresh] },
    ],
    [
      "whose TTL is the provider's own choice",
      { ttl: 1, seconds: 300 },
      { idle: [1, old], prepared: [60, old], dns: [60, fresh], finished: [1, fresh] },
    ],
    [
      "behind the proxy",
      { ttl: 1, seconds: 300, proxied: true },
      { idle: [1, old], prepared: [1, old], dns: [1, fresh], finished: [1, fresh] },
    ],
    [
      "that is an alias",
      { type: "CNAME", data: ["example.org"] },
      {
        idle: [3600, "example.org"],
        prepared: [60, "example.org"],
        dns: [60, "example.org"],
        finished: [3600, "example.org"],
      },
    ],
  ])("%s", (_, more, expected) => {
    const one = record(more);
    for (const [stage, [ttl, data]] of Object.entries(expected))
      expect(writtenAt(stages[stage as keyof typeof stages], one, [one], wanted), stage).toEqual({
        ttl,
        data: [data],
      });
  });

  it("gets an address of its own where a record holds one, else all of its kind", () => {
    const both = { ...wanted, new: ["198.51.100.22", "198.51.100.21", "2001:db8::20"] };
    const two = [record({ id: "zone/2", data: ["198.51.100.11"] }), record()];
    expect(two.map((one) => dataOfNew(one, two, both))).toEqual([["198.51.100.22"], ["198.51.100.21"]]);
    const set = record({ data: [old] });
    expect(dataOfNew(set, [set], { ...both, oneEach: false })).toEqual(["198.51.100.21", "198.51.100.22"]);
  });

  it("has one name in the state, and records of one name have others", () => {
    expect(resourceName(record())).toMatch(/^dns-shop\.example\.org-a-[0-9a-f]{8}$/);
    expect(resourceName(record({ id: "zone/2" }))).not.toBe(resourceName(record()));
    expect(resourceName(record({ ttl: 60, data: [fresh] }))).toBe(resourceName(record()));
  });
});

describe("resolvers", () => {
  it("know what no proxy and no flattened alias answers for", () => {
    const records = [
      record({ name: "a.example.org" }),
      record({ name: "b.example.org", proxied: true }),
      record({ name: "example.org", type: "CNAME" }),
      record({ name: "c.example.org", type: "CNAME" }),
      record({ name: "d.example.org", type: "CNAME", more: { settings: { flattenCname: true } } }),
    ];
    expect(
      namesAsked(
        records.map(({ name }) => name),
        records,
        "example.org",
      ),
    ).toEqual(["a.example.org", "c.example.org"]);
    expect(
      longestKept([record({ ttl: 60 }), record({ ttl: 900 }), record({ proxied: true, ttl: 7200 })]),
    ).toBe(900);
    expect(longestKept([])).toBe(0);
  });
});

describe("the records of a zone", () => {
  const zone = (...records: FoundRecord[]): Zone => ({ id: "zone", servers: [], records, findings: [] });
  const told = (more: Partial<RecordsLook>) =>
    checkRecords({
      provider: "Cloudflare",
      names: ["shop.example.org"],
      wanted,
      zone: zone(record()),
      before: undefined,
      leads: false,
      ...more,
    }).map(({ place, rule, value }) => `${place}: ${rule}, but ${value}`);
  const before = [record()];

  it("may be led elsewhere, and back", () => {
    expect(told({})).toEqual([]);
    for (const now of [
      record(),
      record({ ttl: 60 }),
      record({ ttl: 60, data: [fresh] }),
      record({ data: [fresh] }),
    ])
      expect(told({ before, zone: zone(now) })).toEqual([]);
  });

  it.each<[string, Partial<RecordsLook>, string]>([
    [
      "that are not there",
      { zone: zone() },
      "holds shop.example.org, but it has no A, AAAA or CNAME record of it",
    ],
    [
      "that lead elsewhere",
      { zone: zone(record({ data: ["203.0.113.9"] })) },
      "leads to 198.51.100.10, 2001:db8::10 (old), but it leads to 203.0.113.9",
    ],
    [
      "that new has no address for",
      { wanted: { ...wanted, new: ["2001:db8::20"] } },
      "holds as many addresses as shop.example.org has A records (1), but there are 0",
    ],
    [
      "that are fewer than new's addresses",
      { wanted: { ...wanted, new: [fresh, "198.51.100.21"] } },
      "has A records (1), but there are 2",
    ],
    [
      "of a set that new has no address for",
      {
        wanted: { ...wanted, oneEach: false, new: [fresh] },
        zone: zone(record({ type: "AAAA", data: ["2001:db8::10"] })),
      },
      "holds one or more addresses for the AAAA record of shop.example.org, but there are 0",
    ],
    ["that are gone", { before, zone: zone() }, "is still there, but somebody else has removed it"],
    [
      "that came",
      { before, zone: zone(record(), record({ id: "zone/2", data: ["203.0.113.9"] })) },
      "was there when the move began, but somebody else has added it, with 203.0.113.9",
    ],
    [
      "that somebody else led away",
      { before, zone: zone(record({ ttl: 60, data: ["203.0.113.9"] })) },
      "somebody else has led it to 203.0.113.9",
    ],
    [
      "that somebody else led back",
      { before, leads: true, zone: zone(record({ ttl: 60 })) },
      "leads to 198.51.100.20, as the move has left it, but somebody else has led it to 198.51.100.10",
    ],
    [
      "whose TTL somebody else set",
      { before, zone: zone(record({ ttl: 120 })) },
      "has the TTL 3600 or 60, but somebody else has set it to 2 min",
    ],
    [
      "that somebody else put behind the proxy",
      { before, zone: zone(record({ proxied: true })) },
      "is not proxied, as before the move, but somebody else has made it proxied",
    ],
    [
      "whose comment somebody else changed",
      { before, zone: zone(record({ more: { comment: "mine" } })) },
      'somebody else has made it not proxied with {"comment":"mine"}',
    ],
  ])("%s are refused", (_, more, expected) => {
    expect(told(more)).toEqual([expect.stringContaining(expected)]);
  });
});

it("Route 53's record sets are read as people write them, and what is no plain set is told", () => {
  const sets = [
    { name: "\\052.example.org.", type: "A", ttl: 30, resourceRecords: [{ value: "b" }, { value: "a" }] },
    { name: "example.org.", type: "MX", ttl: 30, resourceRecords: [{ value: "10 mail" }] },
    { name: "other.example.org.", type: "A", ttl: 30 },
    { name: "example.org.", type: "A", aliasTarget: { dnsName: "lb.example.org." }, setIdentifier: "" },
    { name: "example.org.", type: "AAAA", ttl: 30, resourceRecords: [], healthCheckId: "x" },
  ];
  const { records, findings } = zoneOf("Z1", ["ns1"], sets, ["example.org", "*.example.org"]);
  expect(records).toEqual([
    record({ id: "Z1_*.example.org_A", name: "*.example.org", ttl: 30, data: ["a", "b"] }),
  ]);
  expect(findings.map(({ place, value }) => `${place}: ${value}`)).toEqual([
    "Route 53, example.org A: it is an alias of lb.example.org",
    "Route 53, example.org AAAA: it is served by a health check's word",
  ]);
});
