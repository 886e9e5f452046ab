/** What a comparison found, and how people read it. Pure. */
import { forPeople } from "../../duration.ts";

/** One row that is not the same on both servers. */
export interface RowDifference {
  /** The values of the key's columns, as text. */
  key: readonly string[];
  is: "changed" | "missing on new" | "only on new";
}

/** Rows between two keys that did not become equal. */
export interface RangeDifference {
  /** The key before the range; none where it begins with the table. */
  after?: readonly string[] | undefined;
  /** The last key of the range; none where it ends with the table. */
  upTo?: readonly string[] | undefined;
  /** The first of the rows that differ. */
  rows: readonly RowDifference[];
}

/** What was found of one table, of one materialized view, or of all large objects. */
export interface TableReport {
  name: string;
  kind: "table" | "materialized view" | "large objects";
  status: "equal" | "differs" | "failed";
  /** Why it differs or failed, where rows do not say it. */
  reason?: string;
  rowsOld: number;
  rowsNew: number;
  chunks: number;
  /** How many of them differed: the first to the end of the deadline, the others when they were read. */
  chunksThatDiffer: number;
  /** How often the chunk was read that took the most reads to become equal. */
  reads: number;
  /** The first range that differs. */
  difference?: RangeDifference;
  seconds: number;
}

/** One sequence: the value that it gives next on each side. */
export interface SequenceReport {
  name: string;
  old?: string;
  new?: string;
  /** `behind`: new would give values again that old has given. */
  status: "equal" | "ahead" | "behind" | "missing on new" | "only on new";
}

/** All that a comparison found. */
export interface ComparisonReport {
  database: string;
  /** Whether new has every row, and no other, and no sequence is behind. Materialized views do not count. */
  equal: boolean;
  tables: readonly TableReport[];
  onlyOnOld: readonly string[];
  onlyOnNew: readonly string[];
  /** What is there on both sides, but holds no rows of its own. */
  leftOut: readonly { name: string; reason: string }[];
  sequences: readonly SequenceReport[];
  seconds: number;
}

/** Whether a comparison found nothing that matters. */
export function isEqual(report: Omit<ComparisonReport, "equal">): boolean {
  return (
    report.onlyOnOld.length === 0 &&
    report.onlyOnNew.length === 0 &&
    report.tables.every(({ status, kind }) => status === "equal" || kind === "materialized view") &&
    report.sequences.every(({ status }) => status === "equal" || status === "ahead")
  );
}

/** The report as a table, with a sentence for each thing that is not equal. */
export function renderReport(report: ComparisonReport): string {
  const table = columns([
    ["", "rows on old", "rows on new", "chunks", "reads", "seconds", ""],
    ...report.tables.map((found) => [
      found.kind === "materialized view" ? `${found.name} (${found.kind})` : found.name,
      ...[found.rowsOld, found.rowsNew, found.chunks, found.reads].map(String),
      found.seconds.toFixed(1),
      found.status,
    ]),
  ]);
  const behind = report.sequences.filter(({ status }) => status !== "equal" && status !== "ahead");
  const ahead = report.sequences.filter(({ status }) => status === "ahead").length;
  return [
    ...table,
    "",
    ...report.tables.flatMap(explain),
    ...report.onlyOnOld.map((name) => `${name}: is on old only`),
    ...report.onlyOnNew.map((name) => `${name}: is on new only`),
    ...behind.map(explainSequence),
    ...report.leftOut.map(({ name, reason }) => `${name}: left out, ${reason}`),
    `${report.sequences.length} sequences: ${behind.length === 0 ? "none is behind on new" : `${behind.length} not as they should be`}, ${ahead} ahead`,
    `${report.database}: ${report.equal ? "equal" : "DIFFERS"} on old and new (${forPeople(report.seconds)})`,
  ].join("\n");
}

/** What is to be said of a table that is not equal. */
function explain({ name, status, reason, difference, chunksThatDiffer }: TableReport): string[] {
  if (status === "equal") return [];
  const rows = difference?.rows ?? [];
  return [
    `${name}: ${status}${reason === undefined ? "" : `: ${reason}`}`,
    ...(difference === undefined
      ? []
      : [
          `  ${chunksThatDiffer} of its ranges of keys; the first is after ${show(difference.after, "the beginning")} up to ${show(difference.upTo, "the end")}`,
        ]),
    ...rows.map(({ key, is }) => `  row ${show(key, "")}: ${is}`),
  ];
}

/** What is to be said of a sequence. */
function explainSequence({ name, status, ...next }: SequenceReport): string {
  return status === "behind"
    ? `sequence ${name}: is behind on new: next is ${next.new}, on old ${next.old}`
    : `sequence ${name}: is ${status}`;
}

/** A key as people read it, control characters written out; what to say where there is none. */
function show(key: readonly string[] | undefined, none: string): string {
  return key === undefined ? none : `(${key.map((part) => JSON.stringify(part)).join(", ")})`;
}

/** Lines with columns under each other: the first and the last to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  return rows.map((row) =>
    row
      .map((cell, index) =>
        index === 0 || index === row.length - 1 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
