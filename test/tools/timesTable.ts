/** Where the time of each test file went, as a table. */
import { readFileSync } from "node:fs";
import type { Kind, Timing } from "../../harness/timing.ts";
import { place, type Results } from "./results.ts";

/** How long a file took in all, from vitest itself. */
export interface Whole extends Omit<Timing, "kind" | "steps"> {
  readonly kind: "whole";
}

/** The seconds of a file. Work that went on side by side is added up, so the parts may be more than the whole. */
export interface Spent {
  readonly file: string;
  readonly seconds: number;
  readonly parts: Readonly<Record<Column, number>>;
}

const columns = ["boot+load", "install+save", "pulumi", "of that steps", "servers", "settled"] as const;
type Column = (typeof columns)[number];

/** The column of a kind; stopping a lab is not told apart from the rest. */
const columnOf: Readonly<Record<Kind, Column | undefined>> = {
  ...{ boot: "boot+load", load: "boot+load", install: "install+save", save: "install+save" },
  ...{ pulumi: "pulumi", server: "servers", fingerprint: "servers", settled: "settled" },
  close: undefined,
};

/** The lines of a file that CHANGEOVER_TIMES named; none where it is not there. A line that a killed run cut off is left out. */
export function readTimes(file: string): (Timing | Whole)[] {
  const lines = read(file).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Timing | Whole);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** How long each file took and what for, the slowest first. */
export function spent(results: Results | undefined, times: readonly (Timing | Whole)[]): Spent[] {
  const whole = wholeSeconds(results, times);
  const parts = new Map([...whole.keys()].map((file) => [file, emptyParts()]));
  for (const line of times) {
    const sums = parts.get(line.file);
    const column = line.kind === "whole" ? undefined : columnOf[line.kind];
    if (sums === undefined || column === undefined) continue;
    sums[column] += line.seconds;
    if ("steps" in line)
      sums["of that steps"] += Object.values(line.steps ?? {}).reduce((sum, one) => sum + one, 0);
  }
  return [...whole]
    .map(([file, seconds]) => ({ file, seconds, parts: parts.get(file)! }))
    .toSorted((one, other) => other.seconds - one.seconds);
}

/** The seconds of each file: from its own line, or from its first test's begin to its last one's end. */
function wholeSeconds(
  results: Results | undefined,
  times: readonly (Timing | Whole)[],
): ReadonlyMap<string, number> {
  return new Map([
    ...(results?.testResults ?? []).map((file): [string, number] => [
      place(file),
      (file.endTime - file.startTime) / 1000,
    ]),
    ...times.flatMap(({ kind, file, seconds }): [string, number][] =>
      kind === "whole" ? [[file, seconds]] : [],
    ),
  ]);
}

function emptyParts(): Record<Column, number> {
  return Object.fromEntries(columns.map((column) => [column, 0])) as Record<Column, number>;
}

/** What is left of the whole: never less than nothing, though the parts may have gone on side by side. */
export function other({ seconds, parts }: Spent): number {
  const named = columns
    .filter((column) => column !== "of that steps")
    .reduce((sum, column) => sum + parts[column], 0);
  return Math.max(0, seconds - named);
}

/** The table: a line for each of the first files, and one for all of them. */
export function timesTable(files: readonly Spent[], shown = files.length): string[] {
  const total: Spent = {
    file: `all ${files.length} files`,
    seconds: files.reduce((sum, { seconds }) => sum + seconds, 0),
    parts: files.reduce((sums, { parts }) => {
      for (const column of columns) sums[column] += parts[column];
      return sums;
    }, emptyParts()),
  };
  const titles = ["seconds", ...columns, "other"];
  const line = (cells: readonly string[], file: string) =>
    `${cells.map((cell, at) => cell.padStart(titles[at]!.length)).join("  ")}  ${file}`;
  const row = (one: Spent, rest: number) =>
    line([one.seconds, ...columns.map((column) => one.parts[column]), rest].map(rounded), one.file);
  return [
    line(titles, "file"),
    ...files.slice(0, shown).map((one) => row(one, other(one))),
    row(
      total,
      files.reduce((sum, one) => sum + other(one), 0),
    ),
  ];
}

/** Whole seconds; a dash where there are none. */
const rounded = (seconds: number) => (seconds === 0 ? "-" : String(Math.round(seconds)));
