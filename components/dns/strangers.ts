/** What stands in the way of leading adopted records elsewhere: what cannot be moved, and what somebody else has changed. Pure. */
import { isDeepStrictEqual } from "node:util";
import { forPeople } from "../duration.ts";
import type { Finding } from "../guards/guards.ts";
import type { Zone } from "./provider.ts";
import { addressesFor, dataOfNew, type FoundRecord, groupOf, type Wanted, writtenAt } from "./records.ts";

/** What is looked at. */
export interface RecordsLook {
  /** The provider's name. */
  provider: string;
  names: readonly string[];
  wanted: Wanted;
  /** The zone as it is now. */
  zone: Zone;
  /** Every record as it was before the move; nothing where the move has not touched them. */
  before: readonly FoundRecord[] | undefined;
  /** The names have been led to new, and are to stay there. */
  leads: boolean;
}

/** All that stops a move of the records, or should be known. */
export function checkRecords(look: RecordsLook): Finding[] {
  const { zone, before } = look;
  const own = before === undefined ? checkUntouched(look) : checkMoved(look, before);
  return [...zone.findings, ...own, ...checkMovable(look, before ?? zone.records)];
}

const placeOf = ({ provider }: RecordsLook, { name, type }: FoundRecord) => `${provider}, ${name} ${type}`;

/** Before the move each name is there, and leads to old. */
function checkUntouched(look: RecordsLook): Finding[] {
  const { names, zone, wanted } = look;
  const special = (name: string) => zone.findings.some(({ place }) => place.includes(` ${name} `));
  return names.flatMap((name) => {
    const records = zone.records.filter((record) => record.name === name);
    if (records.length === 0 && !special(name)) return [missing(look, name)];
    return records
      .filter(({ type, data }) => type !== "CNAME" && !data.every((address) => has(wanted.old, address)))
      .map((record) => ({
        place: placeOf(look, record),
        rule: `leads to ${wanted.old.join(", ")} (old)`,
        value: `it leads to ${record.data.join(", ")}`,
        remedy: "somebody else changed it, or old has other addresses: see changeover:dns.old",
      }));
  });
}

function missing({ provider, zone }: RecordsLook, name: string): Finding {
  return {
    place: `${provider}, zone ${zone.id}`,
    rule: `holds ${name}`,
    value: "it has no A, AAAA or CNAME record of it",
    remedy: "correct changeover:site.names, or name those that are there in changeover:dns.names",
  };
}

/** New has an address for every record. */
function checkMovable(look: RecordsLook, records: readonly FoundRecord[]): Finding[] {
  const { wanted } = look;
  return records.flatMap((record) => {
    const { type, name } = record;
    if (type === "CNAME" || groupOf(records, record)[0] !== record) return [];
    const fresh = addressesFor(type, wanted.new).length;
    const needed = wanted.oneEach ? groupOf(records, record).length : 1;
    if (wanted.oneEach ? fresh === needed : fresh >= needed) return [];
    return [
      {
        place: "changeover:dns.new",
        rule: `holds ${wanted.oneEach ? "as many" : "one or more"} addresses ${wanted.oneEach ? `as ${name} has ${type} records (${needed})` : `for the ${type} record of ${name}`}`,
        value: `there ${fresh === 1 ? "is" : "are"} ${fresh}`,
        remedy: `name new's addresses there (IPv6 too, where a name has AAAA), or remove the ${type} record that has none to go to ahead of the move`,
      },
    ];
  });
}

/** In the move each record is what the move has made of it, and none came. */
function checkMoved(look: RecordsLook, before: readonly FoundRecord[]): Finding[] {
  const { zone } = look;
  const others = zone.records.filter(({ id }) => !before.some((record) => record.id === id));
  return [
    ...others.map((record) => ({
      place: placeOf(look, record),
      rule: "was there when the move began",
      value: `somebody else has added it, with ${record.data.join(", ")}`,
      remedy: "remove it, and add it again when the move is finished",
    })),
    ...before.flatMap((record) => checkOne(look, record, before)),
  ];
}

function checkOne(look: RecordsLook, record: FoundRecord, before: readonly FoundRecord[]): Finding[] {
  const { zone, wanted, leads } = look;
  const now = zone.records.find(({ id }) => id === record.id);
  const finding = (rule: string, value: string, remedy: string) => [
    { place: placeOf(look, record), rule, value, remedy },
  ];
  if (!now)
    return finding(
      "is still there",
      "somebody else has removed it",
      `no record can be adopted in mid-move: make one again with ${record.data.join(", ")}, go back to idle with 'pulumi up' once changeover:dns.names does without ${record.name}`,
    );
  const ends = [...(leads ? [] : [record.data]), dataOfNew(record, before, wanted)];
  const ttls = [record.ttl, writtenAt({ lowered: true, leads: false }, record, before, wanted).ttl];
  const put = (value: string) => `put it back to ${value}, or ask who changed it; then run this again`;
  return [
    ...(ends.some((data) => same(data, now.data))
      ? []
      : finding(
          `leads to ${ends.map((data) => data.join(", ")).join(" or ")}, as the move has left it`,
          `somebody else has led it to ${now.data.join(", ")}`,
          put(ends.at(-1)!.join(", ")),
        )),
    ...(ttls.includes(now.ttl)
      ? []
      : finding(
          `has the TTL ${[...new Set(ttls)].join(" or ")}`,
          `somebody else has set it to ${forPeople(now.ttl)}`,
          put(String(ttls[1])),
        )),
    ...(now.proxied === record.proxied && isDeepStrictEqual(now.more, record.more)
      ? []
      : finding(
          `is ${describe(record)}, as before the move`,
          `somebody else has made it ${describe(now)}`,
          put(describe(record)),
        )),
  ];
}

function describe({ proxied, more }: FoundRecord): string {
  const text = JSON.stringify(more);
  return `${proxied ? "proxied" : "not proxied"}${text === "{}" ? "" : ` with ${text}`}`;
}

const has = (list: readonly string[], value: string) =>
  list.some((item) => item.toLowerCase() === value.toLowerCase());
const same = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((value) => has(other, value));
