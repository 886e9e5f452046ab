/** Sequences: new must not give values again that old has given. It may be ahead, for it may be in use already. */
import { scriptBeside } from "../../script.ts";
import { nextValues } from "./queries.ts";
import type { Reader } from "./reader.ts";
import type { SequenceReport } from "./report.ts";
import { deadline, type Readers } from "./table.ts";

/** One sequence of one side. */
export interface Sequence {
  name: string;
  increment: string;
  /** The value that it gives next. */
  next: string;
}

/** How many sequences are read by one statement. */
const atOnce = 100;

/** Compares all sequences; while one is behind they are read again, until the deadline. */
export async function compareSequences(readers: Readers, settleDeadline: number): Promise<SequenceReport[]> {
  const settle = deadline(settleDeadline);
  for (;;) {
    // Old first: what it gives while new is read does not count.
    const old = await readSequences(readers.old);
    const found = matchSequences(old, await readSequences(readers.new));
    if (!found.some(({ status }) => status === "behind") || !(await settle.pause())) return found;
  }
}

/** Reads the sequences of one side. */
async function readSequences(reader: Reader): Promise<Sequence[]> {
  const sequences = await reader.query<{ name: string; increment: string }>(
    scriptBeside(import.meta.url, "sequences.sql"),
  );
  const found: Sequence[] = [];
  for (let first = 0; first < sequences.length; first += atOnce) {
    const some = sequences.slice(first, first + atOnce);
    const next = await reader.query<{ next: string }>(nextValues(some));
    found.push(...some.map((sequence, index) => ({ ...sequence, next: next[index]!.next })));
  }
  return found;
}

/** What is to be said of each sequence. */
export function matchSequences(old: readonly Sequence[], fresh: readonly Sequence[]): SequenceReport[] {
  const byName = new Map(fresh.map((sequence) => [sequence.name, sequence]));
  const names = new Set(old.map(({ name }) => name));
  return [
    ...old.map(({ name, increment, next }): SequenceReport => {
      const other = byName.get(name);
      if (other === undefined) return { name, old: next, status: "missing on new" };
      const ahead = (BigInt(other.next) - BigInt(next)) * (BigInt(increment) < 0n ? -1n : 1n);
      return {
        name,
        old: next,
        new: other.next,
        status: ahead === 0n ? "equal" : ahead > 0n ? "ahead" : "behind",
      };
    }),
    ...fresh
      .filter(({ name }) => !names.has(name))
      .map(({ name, next }): SequenceReport => ({ name, new: next, status: "only on new" })),
  ];
}
