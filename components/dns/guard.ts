/** The proof that names may lead elsewhere: every authoritative server serves the same, and what it served before has run out. */
import { forPeople } from "../duration.ts";
import type { Finding } from "../guards/guards.ts";
import { isNoAnswer, type NameServer, type Served } from "./ask.ts";

/** What the move has done to the names so far. */
export interface DnsState {
  /** The settings' TTL, in seconds. */
  ttl: number;
  names: readonly string[];
  old: readonly string[];
  new: readonly string[];
  /** The TTL is lowered; the names lead to new. */
  lowered: boolean;
  leads: boolean;
  /** A run that led them to new was cut off: they may lead to either. */
  between: boolean;
  /** From when on, in seconds since the epoch, nobody may have the old TTL's answers, or those that lead to old. */
  loweredUntil?: number | undefined;
  leadsUntil?: number | undefined;
  /** What this run is about to do. */
  willLead: boolean;
  willFinish: boolean;
  /** It takes the names back: a server that is out of order does not stop that. */
  returns: boolean;
}

/**
 * Checks what the authoritative servers serve.
 * @param servers the servers, or why they are not known.
 * @param now seconds since the epoch.
 */
export function checkDns(
  servers: readonly NameServer[] | { error: string },
  state: DnsState,
  now: number,
): Finding[] {
  if ("error" in servers)
    return [
      {
        place: "changeover:dns.server",
        rule: "answers for the zone",
        value: servers.error,
        ...(isNoAnswer(servers.error) ? { unknown: true } : {}),
        remedy:
          "correct changeover:dns.server and changeover:dns.zone, or let this machine ask it (port 53, UDP and TCP)",
      },
    ];
  return [
    ...servers.flatMap((server) => checkServer(server, state)),
    ...agree(servers).map((finding) => ({ ...finding, warning: state.returns })),
    ...(state.willLead ? ranOut("the TTL of before the move", state.loweredUntil, state, now) : []),
    ...(state.willFinish ? ranOut("the answers that lead to old", state.leadsUntil, state, now) : []),
  ];
}

/** Each name is there, leads where it should, and is kept for no longer than the settings say. */
function checkServer({ name: place, served }: NameServer, state: DnsState): Finding[] {
  if ("error" in served)
    return [
      {
        place: `DNS server ${place}`,
        rule: "answers, as every authoritative server has to",
        value: served.error,
        ...(isNoAnswer(served.error) ? { unknown: true } : {}),
        remedy:
          "mend it, or take it out of the zone's NS records; resolvers that ask it would not see the change",
        warning: state.returns,
      },
    ];
  const expected =
    state.between || state.returns ? [...state.old, ...state.new] : state.leads ? state.new : state.old;
  return state.names.flatMap((name) => {
    const records = served.filter((record) => record.name === name);
    const addresses = records.filter(({ type }) => type !== "CNAME").flatMap(({ data }) => data);
    const strangers = addresses.filter((address) => !expected.includes(address));
    return [
      ...(records.length === 0 ? [missing(place, name)] : []),
      ...(strangers.length > 0 ? [leadsElsewhere(place, name, strangers, expected, state.leads)] : []),
      ...(state.lowered && state.willLead
        ? records.flatMap((record) => keptTooLong(place, record, state.ttl))
        : []),
    ];
  });
}

function missing(place: string, name: string): Finding {
  return {
    place: `DNS server ${place}`,
    rule: `serves ${name}`,
    value: "it has no A, AAAA or CNAME record of it",
    remedy: "correct changeover:site.names, or name those that are there in changeover:dns.names",
  };
}

function leadsElsewhere(
  place: string,
  name: string,
  strangers: readonly string[],
  expected: readonly string[],
  leads: boolean,
): Finding {
  return {
    place: `DNS server ${place}, ${name}`,
    rule: `leads to ${expected.join(", ")} (${leads ? "new" : "old"})`,
    value: `it leads to ${strangers.join(", ")}`,
    remedy: `somebody else changed it, or ${leads ? "new" : "old"} has other addresses: see changeover:dns.${leads ? "new" : "old"}`,
  };
}

function keptTooLong(place: string, { name, type, ttl }: Served, most: number): Finding[] {
  if (ttl <= most) return [];
  return [
    {
      place: `DNS server ${place}, ${name} ${type}`,
      rule: `is kept by resolvers for ${forPeople(most)} at most`,
      value: `its TTL is ${forPeople(ttl)}`,
      remedy:
        "wait until this server has the lowered TTL from the primary, or see why it has not (its log, NOTIFY, the zone's serial)",
    },
  ];
}

/** All servers serve the same. */
function agree(servers: readonly NameServer[]): Finding[] {
  const known = servers.flatMap(({ name, served }) => ("error" in served ? [] : [{ name, served }]));
  const [first, ...others] = known.map(({ name, served }) => ({
    name,
    text: served.map((record) => `${record.name} ${record.type} ${record.data.join(",")}`).join("; "),
  }));
  return others
    .filter(({ text }) => text !== first!.text)
    .map(({ name, text }) => ({
      place: `DNS server ${name}`,
      rule: `serves the same as ${first!.name}`,
      value: `it serves ${text || "nothing"}, and ${first!.name} ${first!.text || "nothing"}`,
      remedy:
        "wait until it has the zone from the primary, or see why it has not (its log, NOTIFY, the zone's serial)",
    }));
}

/** Answers of before are not in any resolver's memory any more. */
function ranOut(what: string, until: number | undefined, { lowered }: DnsState, now: number): Finding[] {
  if (until === undefined)
    return [
      {
        place: "changeover:phase",
        rule: `${what} has run out`,
        value: lowered ? "it is not known since when" : "it is lowered in this very run",
        remedy: "go up to the phase before first, wait until preview says nothing of this, and go on",
      },
    ];
  if (now >= until) return [];
  return [
    {
      place: "changeover:phase",
      rule: `${what} has run out`,
      value: `it has not yet, for ${forPeople(until - now)}: until ${new Date(until * 1000).toISOString().slice(0, 19)}Z`,
      remedy: "wait, and run this again",
    },
  ];
}
