import { readFileSync } from "node:fs";

export type Kind = "order" | "page" | "upload" | "download" | "websocket";
export type Outcome = "ok" | "maintenance" | "failed";

/** One request of the outside client. */
export interface Entry {
  /** When the request was due, in milliseconds since 1970: a late start counts as waiting. */
  at: number;
  kind: Kind;
  /** From `at` to the end of the answer. */
  ms: number;
  /** The HTTP status; 0 when no answer came. */
  status: number;
  outcome: Outcome;
  /** The client's own mark of an order. */
  ref?: string;
  /** The order number the site acknowledged. */
  number?: number;
  /** The server that answered, where it says so. */
  host?: string;
  /** The server that has taken the file which is downloaded, where it said so. */
  storedOn?: string;
  error?: string;
}

export interface Order {
  number: number;
  ref: string;
}

export interface Summary {
  requests: number;
  failed: number;
  /** The first 20 of them. */
  failures: Entry[];
  /** The slowest answer in milliseconds, maintenance answers excepted. */
  slowest: number;
  /** How long users saw the maintenance page, all windows added up. */
  maintenanceSeconds: number;
}

export interface WriteAudit {
  lostWrites: number;
  doubledWrites: number;
  lost: { ref: string; number: number; found: number[] }[];
  doubled: { ref: string; numbers: number[] }[];
}

/** The entries of a ledger; a last line still being written is left out. */
export function readLedger(file: string): Entry[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as Entry;
    } catch {
      throw new Error(`${file}:${index + 1}: expected one JSON object a line, got ${line.slice(0, 80)}`);
    }
  });
}

export function summarize(entries: Entry[]): Summary {
  const failures = entries.filter((entry) => entry.outcome === "failed");
  const counted = entries.filter((entry) => entry.outcome !== "maintenance");
  return {
    requests: entries.length,
    failed: failures.length,
    failures: failures.toSorted((a, b) => a.at - b.at).slice(0, 20),
    slowest: counted.reduce((slowest, entry) => Math.max(slowest, entry.ms), 0),
    maintenanceSeconds: maintenanceMilliseconds(entries) / 1000,
  };
}

const answeredAt = (entry: Entry): number => entry.at + entry.ms;

/**
 * The windows of the maintenance page, each from the last good answer before it to the first one after it, so that
 * a window is never counted too short. A failure ends no window: its user was not served either.
 */
function maintenanceMilliseconds(entries: Entry[]): number {
  let total = 0;
  let lastOk: number | undefined;
  let open: { from: number; to: number } | undefined;
  for (const entry of entries.toSorted((a, b) => answeredAt(a) - answeredAt(b))) {
    if (entry.outcome === "maintenance") {
      open = { from: open?.from ?? lastOk ?? entry.at, to: answeredAt(entry) };
    } else if (entry.outcome === "ok") {
      if (open) total += answeredAt(entry) - open.from;
      open = undefined;
      lastOk = answeredAt(entry);
    }
  }
  return open ? total + open.to - open.from : total;
}

/** Compares the orders the site acknowledged with those its database holds now. */
export function auditWrites(entries: Entry[], orders: Order[]): WriteAudit {
  const numbersOf = new Map<string, number[]>();
  for (const { ref, number } of orders) {
    numbersOf.set(ref, [...(numbersOf.get(ref) ?? []), number]);
  }
  const lost = entries.flatMap(({ kind, outcome, ref, number }) => {
    if (kind !== "order" || outcome !== "ok" || ref === undefined || number === undefined) return [];
    const found = numbersOf.get(ref) ?? [];
    return found.includes(number) ? [] : [{ ref, number, found }];
  });
  const doubled = [...numbersOf]
    .filter(([, numbers]) => numbers.length > 1)
    .map(([ref, numbers]) => ({ ref, numbers }));
  return { lostWrites: lost.length, doubledWrites: doubled.length, lost, doubled };
}
