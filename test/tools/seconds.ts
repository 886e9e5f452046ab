/** How long each test file is expected to take, as measured: seconds.json, which `node test/tools/measured.ts` brings up to date. */
import { readFileSync } from "node:fs";

/** Seconds of test files, by their path from the checkout. */
export type Seconds = Readonly<Record<string, number>>;

/** Where they are kept. */
export const secondsFile = "test/tools/seconds.json";

/** What was measured. */
export function readSeconds(): Seconds {
  return JSON.parse(readFileSync(new URL("seconds.json", import.meta.url), "utf8")) as Seconds;
}

/** The longest first; equally long ones by name, so that the order is the same everywhere. */
export function longestFirst<T>(
  items: readonly T[],
  secondsOf: (item: T) => number,
  nameOf: (item: T) => string,
): T[] {
  return items.toSorted(
    (one, other) => secondsOf(other) - secondsOf(one) || (nameOf(one) < nameOf(other) ? -1 : 1),
  );
}

/** What a file of `make test` is expected to take. A unit test is short; another one that was not measured stands in the middle. */
export function expectedSeconds(file: string, seconds: Seconds): number {
  return seconds[file] ?? (file.startsWith("test/unit/") ? 1 : middle(seconds));
}

/** The median of the files that take longer than a moment. */
function middle(seconds: Seconds): number {
  const long = Object.values(seconds)
    .filter((one) => one >= 10)
    .toSorted((one, other) => one - other);
  return long[Math.floor(long.length / 2)] ?? 10;
}

/**
 * What was known, with what was measured in its place: whole seconds, by name. Files that take no longer than a moment are left out,
 * so that the list stays short, and so are those that are not there any more.
 */
export function updated(known: Seconds, measured: Seconds, exists: (file: string) => boolean): Seconds {
  const all = Object.entries({ ...known, ...measured })
    .map(([file, seconds]): [string, number] => [file, Math.round(seconds)])
    .filter(([file, seconds]) => seconds >= 5 && exists(file));
  return Object.fromEntries(all.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
