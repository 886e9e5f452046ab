/** Nobody comes to old any more: the proof that the last phase asks for. */
import { BlockList, isIP } from "node:net";
import { forPeople } from "../duration.ts";
import { type Facts, lines, rows } from "../facts/inspect.ts";
import type { Finding } from "../guards/guards.ts";

/** What an operator sets. */
export interface StragglerSettings {
  /** For so many seconds nobody may have come. */
  quiet: number;
  /** Addresses and networks (`203.0.113.0/24`) that do not count. */
  ignore: readonly string[];
  /** Why the move is finished all the same; empty where it is not. */
  accept: string;
}

/** How far the move is. */
export interface StragglerState {
  /** This run is about to finish the move. */
  willFinish: boolean;
  /** It is a preview. */
  rehearsal: boolean;
  /** From when on, in seconds since 1970, nobody should have come to old by its name; undefined where it is not known yet. */
  ledAway?: number | undefined;
}

/** Sources that are named; more are only counted. */
const most = 12;

/**
 * Checks who still comes to old.
 * @param fresh facts of new, whose own addresses do not count.
 */
export function checkStragglers(
  settings: StragglerSettings,
  old: Facts,
  fresh: Facts,
  state: StragglerState,
): Finding[] {
  const { quiet, accept } = settings;
  const warning = accept !== "" || !state.willFinish;
  const remedy = (way: string) =>
    accept
      ? `accepted: ${JSON.stringify(accept)}`
      : `${way}; or give a reason for finishing all the same, which goes into the journal: pulumi config set --path 'changeover:stragglers.accept' REASON`;
  const finding = (value: string, way: string, more: Partial<Finding> = {}): Finding[] => [
    {
      place: "old, stragglers",
      rule: `nobody has come to old for ${quiet > 0 ? forPeople(quiet) : "a moment"}`,
      value,
      remedy: remedy(way),
      ...(warning ? { warning } : {}),
      ...more,
    },
  ];
  const since = old.get("stragglers.since");
  if (since === undefined || state.ledAway === undefined) {
    if (!state.willFinish || quiet === 0) return [];
    const unseen = accept === "" && state.rehearsal ? { warning: true } : {};
    return finding(
      "it is not known: users are led away from old in this very run, or old does not log who comes",
      "go up to phase dns first, wait for so long, and go on",
      unseen,
    );
  }
  const now = Number(old.get("clock"));
  const from = Math.max(Number(since), state.ledAway);
  const came = [
    ...requests(settings, old, fresh, Math.max(from, now - quiet)),
    ...sessions(settings, old, fresh),
  ];
  if (came.length > 0)
    return finding(
      `${came.slice(0, most).join("; ")}${came.length > most ? `; and ${came.length - most} more` : ""}`,
      "lead them to new (an address in a configuration, a partner, monitoring), or let those that do not count pass: changeover:stragglers.ignore",
    );
  if (now - from >= quiet || !state.willFinish) return [];
  return finding(
    `it has been watched for ${forPeople(now - from)} only: until ${new Date((from + quiet) * 1000).toISOString().slice(0, 19)}Z`,
    "wait, and run this again",
  );
}

/** Who has made requests since a moment, by source. */
function requests(settings: StragglerSettings, old: Facts, fresh: Facts, since: number): string[] {
  const counts = whoCounts(settings, old, fresh);
  const now = Number(old.get("clock"));
  return rows(old, "stragglers.requests")
    .filter(([source, , last]) => counts(source!) && Number(last) >= since)
    .map(
      ([source, count, last, path, agent]) =>
        `${source} with ${plural(Number(count), "request")}, the last ${forPeople(now - Number(last))} ago for ${path} (${agent})`,
    );
}

/** Who is connected now, by source and port. */
function sessions(settings: StragglerSettings, old: Facts, fresh: Facts): string[] {
  const counts = whoCounts(settings, old, fresh);
  return rows(old, "stragglers.sessions")
    .filter(([source]) => counts(source!))
    .map(([source, port, count]) => `${source} with ${plural(Number(count), "connection")} at port ${port}`);
}

/** Whether an address counts: not the servers' own, and not one that is to be ignored. */
function whoCounts({ ignore }: StragglerSettings, old: Facts, fresh: Facts): (source: string) => boolean {
  const own = [old, fresh].flatMap((facts) =>
    lines(facts, "addresses").flatMap((line) => line.trim().split(/\s+/)),
  );
  const passed = new BlockList();
  passed.addSubnet("127.0.0.0", 8, "ipv4");
  for (const entry of ["::1", ...own, ...ignore]) {
    const [address = "", prefix] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (isIP(address) === 0) continue;
    passed.addSubnet(address, prefix === undefined ? (family === "ipv6" ? 128 : 32) : Number(prefix), family);
  }
  return (source) => isIP(source) === 0 || !passed.check(source, isIP(source) === 6 ? "ipv6" : "ipv4");
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
