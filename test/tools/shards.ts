/** The soak tests in parts that take about as long as each other. */
import { globSync } from "node:fs";
import { longestFirst, type Seconds } from "./seconds.ts";

/** How many parts are spoken of where nobody says a number. */
export const usualShards = 6;

/** What a file counts that was never measured. */
const unmeasured = 300;

/** A part: its files, the longest first, and what they are expected to take in all. */
export interface Shard {
  /** `2/6`. */
  readonly name: string;
  readonly files: readonly string[];
  readonly seconds: number;
}

/** Every file of the soak tests. */
export function soakFiles(): string[] {
  return globSync("test/soak/**/*.test.ts").toSorted();
}

/** The parts: the longest file goes first, each to the part that is shortest so far. The same files and figures make the same parts. */
export function shardsOf(files: readonly string[], seconds: Seconds, count: number): Shard[] {
  const expected = (file: string) => seconds[file] ?? unmeasured;
  const parts = Array.from({ length: count }, () => ({ files: [] as string[], seconds: 0 }));
  for (const file of longestFirst(files, expected, (file) => file)) {
    const shortest = parts.reduce((one, other) => (other.seconds < one.seconds ? other : one));
    shortest.files.push(file);
    shortest.seconds += expected(file);
  }
  return parts.map((part, at) => ({ name: `${at + 1}/${count}`, ...part }));
}

/** Reads `2/6`. */
export function parseShard(text: string): { part: number; count: number } {
  const [, part, count] = (/^([1-9]\d*)\/([1-9]\d*)$/.exec(text) ?? []).map(Number);
  if (part === undefined || count === undefined || part > count)
    throw new Error(
      `SHARD=${text}: should be a part and the number of parts, as 2/6: make soak SHARD=2/6 runs the second of six`,
    );
  return { part, count };
}

/** A line a part, and a line a file of it. */
export function describeShards(shards: readonly Shard[], seconds: Seconds): string[] {
  return shards.flatMap(({ name, files, seconds: all }) => [
    `make soak SHARD=${name}  ${all} s`,
    ...files.map(
      (file) =>
        `${String(seconds[file] ?? unmeasured).padStart(8)} s  ${file}${seconds[file] === undefined ? ", never measured" : ""}`,
    ),
  ]);
}
