/** One table, old against new: chunk by chunk along its key, what differs read again until it settles. */
import type { Reader } from "./reader.ts";
import {
  chunkRows,
  countOfRange,
  type Key,
  type Range,
  type Relation,
  rowsByKey,
  rowsOfRange,
  type Statement,
  sumOfAll,
  sumOfRange,
} from "./queries.ts";
import type { RowDifference, TableReport } from "./report.ts";

/** One relation as each side has it. */
export interface Pair {
  old: Relation;
  new: Relation;
}

/** Both sides' readers. */
export interface Readers {
  old: Reader;
  new: Reader;
}

/** How a table is compared. */
export interface TableOptions {
  /** How long what differs is read again, in seconds. */
  settleDeadline: number;
  /** Rows of a chunk; by the size of the rows without it. */
  rowsPerChunk?: number | undefined;
}

/** What is told of a table in the end, but for its name, kind and time. */
export type Outcome = Omit<TableReport, "name" | "kind" | "seconds">;

/** Hashes by key; the key is written as JSON. */
type Rows = ReadonlyMap<string, string>;

/** Number and checksum of some rows, and the last of their keys. */
interface Sum {
  rows: number;
  sum: string;
  last?: Key | undefined;
}

/** How many rows that differ are told. */
const rowsTold = 5;

/** Compares one table. Rows become equal, or the deadline of the first chunk that differs to the end has passed. */
export function compareTable(readers: Readers, pair: Pair, options: TableOptions): Promise<Outcome> {
  return pair.old.key.length === 0 || pair.old.kind === "materialized view"
    ? compareWhole(readers, pair, options)
    : compareChunks(readers, pair, options);
}

/** A table without a key: number and checksum of all rows. */
async function compareWhole(readers: Readers, pair: Pair, options: TableOptions): Promise<Outcome> {
  const settle = deadline(pair.old.kind === "materialized view" ? 0 : options.settleDeadline);
  for (let reads = 1; ; reads++) {
    const [old, fresh] = await Promise.all(sides.map((side) => readSum(readers[side], sumOfAll(pair[side]))));
    const found = { rowsOld: old!.rows, rowsNew: fresh!.rows, chunks: 1, reads };
    if (isSame(old!, fresh!)) return { ...found, status: "equal", chunksThatDiffer: 0 };
    if (!(await settle.pause()))
      return {
        ...found,
        status: "differs",
        chunksThatDiffer: 1,
        reason: "number or checksum of its rows (it has no key by which to name them)",
      };
  }
}

/**
 * A table with a key. Chunks are ranges between keys that old gives in the order of its own index. New may sort texts otherwise;
 * then a range holds other rows there, and these are looked up by their keys. Whatever the order is, each row of new lies in at
 * least one of the ranges, so when all chunks are equal, the tables are.
 */
async function compareChunks(readers: Readers, pair: Pair, options: TableOptions): Promise<Outcome> {
  const limit = options.rowsPerChunk ?? chunkRows(pair.old);
  const found: Outcome = {
    status: "equal",
    rowsOld: 0,
    rowsNew: 0,
    chunks: 0,
    chunksThatDiffer: 0,
    reads: 1,
  };
  let after: Key | undefined;
  for (;;) {
    const old = await readSum(readers.old, sumOfRange(pair.old, { after }, limit));
    const range: Range = { after, upTo: old.rows < limit ? undefined : old.last };
    const fresh = await readSum(readers.new, sumOfRange(pair.new, range, 2 * limit));
    let differ = !isSame(old, fresh);
    // After the first chunk that stayed different, the others are only counted.
    if (differ && found.status === "equal") {
      const settled = await settleChunk(readers, pair, range, limit, options.settleDeadline);
      found.reads = Math.max(found.reads, 1 + settled.reads);
      differ = settled.rows.length > 0;
      if (differ) found.difference = { ...range, rows: settled.rows.slice(0, rowsTold) };
    }
    found.chunks++;
    found.rowsOld += old.rows;
    if (!differ) found.rowsNew += old.rows;
    else {
      found.status = "differs";
      found.chunksThatDiffer++;
      found.rowsNew += fresh.rows < 2 * limit ? fresh.rows : await readCount(readers.new, pair.new, range);
    }
    if (range.upTo === undefined) return found;
    after = range.upTo;
  }
}

/**
 * A chunk that differs: the rows that each side has in the range are looked up by their keys on the other side, page by page. Those
 * that differ are read again until none is left, or time is up.
 */
async function settleChunk(
  readers: Readers,
  pair: Pair,
  range: Range,
  limit: number,
  seconds: number,
): Promise<{ rows: RowDifference[]; reads: number }> {
  const settle = deadline(seconds);
  const lookUp = async (keys: readonly Key[]) => {
    const [old, fresh] = await Promise.all(
      sides.map((side) => readRows(readers[side], rowsByKey(pair[side], keys))),
    );
    return differences(old!, fresh!);
  };
  let most = 0;
  for (const side of sides) {
    let after = range.after;
    for (;;) {
      const page = await readRows(readers[side], rowsOfRange(pair[side], { ...range, after }, limit));
      const keys = [...page.keys()].map(keyOf);
      let rows = keys.length === 0 ? [] : await lookUp(keys);
      let reads = 1;
      for (; rows.length > 0; reads++) {
        if (!(await settle.pause())) return { rows, reads };
        rows = await lookUp(rows.map(({ key }) => key));
      }
      most = Math.max(most, reads);
      if (keys.length < limit) break;
      after = keys.at(-1);
    }
  }
  return { rows: [], reads: most };
}

/** A key from the JSON that it is kept as. */
function keyOf(text: string): string[] {
  return JSON.parse(text) as string[];
}

const sides = ["old", "new"] as const;

/** Rows that are not the same in two lists. */
export function differences(old: Rows, fresh: Rows): RowDifference[] {
  return [
    ...[...old].flatMap(([key, hash]): RowDifference[] => {
      const other = fresh.get(key);
      return other === hash
        ? []
        : [{ key: keyOf(key), is: other === undefined ? "missing on new" : "changed" }];
    }),
    ...[...fresh.keys()]
      .filter((key) => !old.has(key))
      .map((key): RowDifference => ({ key: keyOf(key), is: "only on new" })),
  ];
}

/** Whether two sums are of the same rows. */
function isSame(left: Sum, right: Sum): boolean {
  return left.rows === right.rows && left.sum === right.sum;
}

/** Reads a sum. */
async function readSum(reader: Reader, { text, values }: Statement): Promise<Sum> {
  const [row] = await reader.query<{ rows: string; sum: string; last: Key | null }>(text, values);
  return { rows: Number(row!.rows), sum: row!.sum, last: row!.last ?? undefined };
}

/** Reads rows. */
async function readRows(reader: Reader, { text, values }: Statement): Promise<Rows> {
  const rows = await reader.query<{ key: Key; hash: string }>(text, values);
  return new Map(rows.map(({ key, hash }) => [JSON.stringify(key), hash]));
}

/** Counts the rows of a range. */
async function readCount(reader: Reader, relation: Relation, range: Range): Promise<number> {
  const { text, values } = countOfRange(relation, range);
  const [row] = await reader.query<{ rows: string }>(text, values);
  return Number(row!.rows);
}

/** A deadline whose pauses get longer, from 50 ms to 2 s; a pause says whether there is time for another look. */
export function deadline(seconds: number): { pause: () => Promise<boolean> } {
  const end = Date.now() + seconds * 1000;
  let milliseconds = 25;
  return {
    pause: async () => {
      milliseconds = Math.min(2000, milliseconds * 2, end - Date.now());
      if (milliseconds <= 0) return false;
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return true;
    },
  };
}
