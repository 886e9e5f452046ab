/** Records that lead a site's names somewhere, and what becomes of them in a move. Pure. */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import type { LeadingType } from "./ask.ts";

/** A record (or a set of records of one name and type, where the provider knows only those) as its provider keeps it. */
export interface FoundRecord {
  /** As the provider's import takes it. */
  id: string;
  name: string;
  type: LeadingType;
  /** As it is written there: some providers have numbers with a meaning of their own. */
  ttl: number;
  /** Seconds that resolvers keep it. */
  seconds: number;
  /** Where it leads, sorted. */
  data: string[];
  /** The provider's own proxy answers for it: resolvers never see where it leads. */
  proxied: boolean;
  /** What else belongs to it, and stays as it is: a comment, tags. */
  more: Record<string, unknown>;
}

/** What of a record changes in a move. */
export type Written = Pick<FoundRecord, "ttl" | "data">;

/** How far the names are. */
export interface Stage {
  /** The TTL is lowered. */
  lowered: boolean;
  /** The names lead to new. */
  leads: boolean;
}

/** What the settings want of the names. */
export interface Wanted {
  /** Seconds that resolvers keep the records during the move. */
  ttl: number;
  old: readonly string[];
  new: readonly string[];
  /** Whether a record holds one address only, so that a name has as many records as addresses. */
  oneEach: boolean;
}

/** The addresses that may stand in a record of a type. */
export function addressesFor(type: LeadingType, addresses: readonly string[]): string[] {
  const family = { A: 4, AAAA: 6, CNAME: 0 }[type];
  return addresses.filter((address) => isIP(address) === family).toSorted();
}

/** The records of one name and type, in a fixed order. */
export function groupOf(records: readonly FoundRecord[], { name, type }: FoundRecord): FoundRecord[] {
  return records
    .filter((record) => record.name === name && record.type === type)
    .toSorted((one, other) => (one.data.join() < other.data.join() ? -1 : 1));
}

/** Where a record leads when new serves; a CNAME is left where it leads. */
export function dataOfNew(record: FoundRecord, all: readonly FoundRecord[], wanted: Wanted): string[] {
  if (record.type === "CNAME") return record.data;
  const addresses = addressesFor(record.type, wanted.new);
  if (!wanted.oneEach) return addresses;
  return addresses.slice(groupOf(all, record).indexOf(record)).slice(0, 1);
}

/**
 * What a record is at a stage of the move.
 * @param record as it was before the move.
 * @param all every record as it was before the move.
 */
export function writtenAt(
  stage: Stage,
  record: FoundRecord,
  all: readonly FoundRecord[],
  wanted: Wanted,
): Written {
  const lower = stage.lowered && !record.proxied && record.seconds > wanted.ttl;
  return {
    ttl: lower ? wanted.ttl : record.ttl,
    data: stage.leads ? dataOfNew(record, all, wanted) : record.data,
  };
}

/** The longest that a resolver may keep one of the records, in seconds; what the provider's proxy answers does not change. */
export function longestKept(records: readonly FoundRecord[]): number {
  return Math.max(0, ...records.filter(({ proxied }) => !proxied).map(({ seconds }) => seconds));
}

/** The names that resolvers find by the records' own content: no proxy answers, and no alias is answered by addresses in its place. */
export function namesAsked(
  names: readonly string[],
  records: readonly FoundRecord[],
  zone: string,
): string[] {
  const hidden = ({ type, name, proxied, more }: FoundRecord) =>
    proxied || (type === "CNAME" && (name === zone || "settings" in more));
  return names.filter((name) => !records.some((record) => record.name === name && hidden(record)));
}

/** A record's name in the state: the same for as long as the provider has it. */
export function resourceName({ id, name, type }: FoundRecord): string {
  return `dns-${name}-${type.toLowerCase()}-${createHash("sha256").update(id).digest("hex").slice(0, 8)}`;
}
