/** The proof that a name may lead elsewhere, out of what authoritative servers serve. */
import { describe, expect, it } from "vitest";
import type { NameServer } from "../../components/dns/ask.ts";
import { checkDns, type DnsState } from "../../components/dns/guard.ts";

const [old, fresh] = ["198.51.100.10", "198.51.100.20"];
const now = 1_800_000_000;
const state: DnsState = {
  ttl: 60,
  names: ["shop.example.org", "www.shop.example.org"],
  old: [old],
  new: [fresh],
  lowered: false,
  leads: false,
  between: false,
  willLead: false,
  willFinish: false,
  returns: false,
};
const lowered = { ...state, lowered: true, loweredUntil: now - 1, willLead: true };

/** A server with both names, the one an alias of the other. */
const server = (name: string, ttl = 60, data = [old]): NameServer => ({
  name,
  address: "198.51.100.53",
  served: [
    { name: "shop.example.org", type: "A", ttl, data },
    { name: "www.shop.example.org", type: "CNAME", ttl, data: ["shop.example.org"] },
  ],
});
const servers = [server("ns1"), server("ns2")];
const told = (...args: Parameters<typeof checkDns>) =>
  checkDns(...args).map(({ place, rule, value }) => `${place}: ${rule}, but ${value}`);

describe("names", () => {
  it("may stay, and may lead to new once the old TTL has run out", () => {
    expect(told(servers, state, now)).toEqual([]);
    expect(told(servers, lowered, now)).toEqual([]);
  });

  it("may not lead elsewhere before that", () => {
    expect(told(servers, { ...lowered, loweredUntil: now + 90 }, now)).toEqual([
      "changeover:phase: the TTL of before the move has run out, but it has not yet, for 1 min 30 s: until 2027-01-15T08:01:30Z",
    ]);
    expect(told(servers, { ...lowered, lowered: false, loweredUntil: undefined }, now)).toEqual([
      "changeover:phase: the TTL of before the move has run out, but it is lowered in this very run",
    ]);
  });

  it("are lowered on every server", () => {
    expect(told([server("ns1"), server("ns2", 3600)], lowered, now)).toEqual([
      "DNS server ns2, shop.example.org A: is kept by resolvers for 1 min at most, but its TTL is 1 h",
      "DNS server ns2, www.shop.example.org CNAME: is kept by resolvers for 1 min at most, but its TTL is 1 h",
    ]);
    expect(told([server("ns1", 3600)], state, now)).toEqual([]);
  });

  it("lead where the move has left them, or to either where it was cut off", () => {
    const stranger = [server("ns1", 60, ["203.0.113.9"])];
    expect(told(stranger, state, now)).toEqual([
      "DNS server ns1, shop.example.org: leads to 198.51.100.10 (old), but it leads to 203.0.113.9",
    ]);
    expect(told([server("ns1", 60, [fresh])], { ...state, leads: true }, now)).toEqual([]);
    expect(told(servers, { ...state, leads: true }, now)[0]).toContain("leads to 198.51.100.20 (new)");
    expect(told([server("ns1", 60, [fresh])], { ...lowered, between: true }, now)).toEqual([]);
  });

  it("are the same on every server, and there", () => {
    expect(told([server("ns1"), server("ns2", 60, [old, fresh])], { ...state, between: true }, now)).toEqual([
      expect.stringMatching(
        /^DNS server ns2: serves the same as ns1, but it serves shop\.example\.org A 198/,
      ),
    ]);
    const empty: NameServer = { name: "ns1", address: "", served: [] };
    expect(told([empty], state, now)).toEqual([
      "DNS server ns1: serves shop.example.org, but it has no A, AAAA or CNAME record of it",
      "DNS server ns1: serves www.shop.example.org, but it has no A, AAAA or CNAME record of it",
    ]);
  });

  it("are not known where a server does not answer", () => {
    const silent: NameServer = { name: "ns2", address: "", served: { error: "gives no answer" } };
    expect(told([server("ns1"), silent], state, now)).toEqual([
      "DNS server ns2: answers, as every authoritative server has to, but gives no answer",
    ]);
    expect(told({ error: "says REFUSED" }, state, now)).toEqual([
      "changeover:dns.server: answers for the zone, but says REFUSED",
    ]);
  });

  it("may go back where a server is out of order, but not over what somebody else has made of them", () => {
    const back = { ...state, lowered: true, leads: true, returns: true };
    const led = server("ns1", 60, [fresh]);
    const silent: NameServer = { name: "ns2", address: "", served: { error: "gives no answer" } };
    const behind = server("ns3", 60, [old]);
    const found = checkDns([led, silent, behind], back, now);
    expect(found.map(({ place, warning }) => [place, warning])).toEqual([
      ["DNS server ns2", true],
      ["DNS server ns3", true],
    ]);
    const [stranger] = checkDns([server("ns1", 60, ["203.0.113.9"])], back, now);
    expect(stranger?.warning ?? false).toBe(false);
  });

  it("keep old alive until nobody can be led there any more", () => {
    const done = { ...state, lowered: true, leads: true, willFinish: true };
    const led = [server("ns1", 60, [fresh])];
    expect(told(led, { ...done, leadsUntil: now + 30 }, now)).toEqual([
      "changeover:phase: the answers that lead to old has run out, but it has not yet, for 30 s: until 2027-01-15T08:00:30Z",
    ]);
    expect(told(led, { ...done, leadsUntil: now }, now)).toEqual([]);
  });
});
