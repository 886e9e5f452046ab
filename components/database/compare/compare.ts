/** The proof: every table of the database, old against new, while both may be in use. Reads only, on the operator's machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askPass, writeSshFiles } from "../../facts/inspect.ts";
import { scriptBeside } from "../../script.ts";
import type { Access, Side } from "../../server.ts";
import type { SiteSettings } from "../../site.ts";
import { largeObjects, type Relation } from "./queries.ts";
import { ComparisonError, isOfOneStatement, openReader, type Reader } from "./reader.ts";
import { type ComparisonReport, isEqual, type TableReport } from "./report.ts";
import { compareSequences } from "./sequences.ts";
import { compareTable, type Pair, type Readers, type TableOptions } from "./table.ts";

/** How databases are compared; each has a default. */
export interface ComparisonOptions {
  /** How long what differs is read again, in seconds. Default: 60. */
  settleDeadline?: number;
  /** The longest one statement may take, in seconds: one reads a chunk, or the whole of a table without a key. Default: 600. */
  statementDeadline?: number;
  /** Rows of a chunk. Default: by the size of the rows, at most 10000. */
  rowsPerChunk?: number;
  /** Told of each table when it is done. */
  onTable?: (report: TableReport) => void;
}

/** The settings that a comparison needs. */
export interface ComparedSettings {
  database: Pick<SiteSettings["database"], "name" | "port">;
}

/**
 * Compares the database on both servers.
 * @throws ComparisonError when a server cannot be read. What differs is in the report.
 */
export async function compareDatabases(
  settings: ComparedSettings,
  access: Access,
  options: ComparisonOptions = {},
): Promise<ComparisonReport> {
  const began = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "changeover-"));
  try {
    const report = await withReaders(settings, access, options, folder, (readers) =>
      compareAll(readers, {
        ...options,
        settleDeadline: options.settleDeadline ?? defaultSettleDeadline,
      }),
    );
    const timed = { ...report, database: settings.database.name, seconds: (Date.now() - began) / 1000 };
    return { ...timed, equal: isEqual(timed) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const defaultSettleDeadline = 60;
const defaultStatementDeadline = 600;

/** Opens both sides, works, and closes what was opened. */
async function withReaders<T>(
  { database }: ComparedSettings,
  access: Access,
  { statementDeadline = defaultStatementDeadline }: ComparisonOptions,
  folder: string,
  work: (readers: Readers) => Promise<T>,
): Promise<T> {
  const configFile = writeSshFiles(folder, access);
  const env = askPass(folder, access.privateKeyPassphrase);
  const open = (side: Side) =>
    openReader({
      side,
      server: access[side],
      database: database.name,
      port: database.port,
      configFile,
      env,
      statementDeadline,
    });
  const opened = await Promise.allSettled([open("old"), open("new")]);
  const readers = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const close = () => readers.map((reader) => reader.close());
  let result: T;
  try {
    const failed = opened.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    result = await work({ old: readers[0]!, new: readers[1]! });
  } catch (error) {
    // The first error is the one to tell; the role goes by itself.
    await Promise.allSettled(close());
    throw isOfOneStatement(error) ? refusedStatement(error) : error;
  }
  await Promise.all(close());
  return result;
}

/** PostgreSQL refused a statement that is not about one table alone. */
function refusedStatement({ message }: Error): ComparisonError {
  return new ComparisonError({
    place: "old or new, PostgreSQL",
    rule: "tells which tables and sequences there are",
    value: message,
    remedy: "mend that, and run the comparison again; it changes nothing",
  });
}

/** Compares everything there is, one table after the other. */
async function compareAll(
  readers: Readers,
  options: ComparisonOptions & TableOptions,
): Promise<Omit<ComparisonReport, "database" | "equal" | "seconds">> {
  await requireSameEncoding(readers);
  const found = matchRelations(await readRelations(readers.old), await readRelations(readers.new));
  const operators = [...new Set(found.pairs.flatMap(({ old }) => old.operators))];
  await Promise.all(
    [readers.old, readers.new].map(({ query }) =>
      query(
        "select set_config('search_path', array_to_string(array['pg_catalog'] || array(select quote_ident(name) from unnest($1::text[]) name), ', '), false)",
        [operators],
      ),
    ),
  );
  const tables: TableReport[] = [];
  for (const pair of found.pairs) {
    const report = await reportTable(readers, pair, options);
    options.onTable?.(report);
    tables.push(report);
  }
  const sequences = await compareSequences(readers, options.settleDeadline);
  return {
    tables,
    sequences,
    onlyOnOld: found.onlyOnOld,
    onlyOnNew: found.onlyOnNew,
    leftOut: found.leftOut,
  };
}

/** A row's checksum is that of its bytes. */
async function requireSameEncoding(readers: Readers): Promise<void> {
  const [old, fresh] = await Promise.all(
    [readers.old, readers.new].map(async ({ query }) => {
      const [row] = await query<{ encoding: string }>(
        "select current_setting('server_encoding') as encoding, (select set_config(name, 'off', false) from pg_settings where name = 'jit')",
      );
      return row!.encoding;
    }),
  );
  if (old !== fresh)
    throw new ComparisonError({
      place: "old and new, PostgreSQL",
      rule: "keep the database in the same encoding",
      value: `old has ${old} and new ${fresh}`,
      remedy: "make the database on new anew, with old's encoding: CREATE DATABASE ... ENCODING ...",
    });
}

/** What one side has. */
async function readRelations({ query }: Reader): Promise<Relation[]> {
  const rows = await query<{ relation: string }>(scriptBeside(import.meta.url, "relations.sql"));
  const [large] = await query<{ bytes: string }>(
    "select (relpages::bigint * current_setting('block_size')::int)::text as bytes from pg_class where oid = 'pg_largeobject'::regclass and exists (select 1 from pg_largeobject_metadata)",
  );
  return [
    ...rows.map(({ relation }) => JSON.parse(relation) as Relation),
    ...(large === undefined ? [] : largeObjects(Number(large.bytes))),
  ];
}

/** Which relations are compared with which, and which are not. Pure. */
export function matchRelations(
  old: readonly Relation[],
  fresh: readonly Relation[],
): { pairs: Pair[]; onlyOnOld: string[]; onlyOnNew: string[]; leftOut: { name: string; reason: string }[] } {
  const names = (relations: readonly Relation[]) => new Map(relations.map((one) => [one.name, one]));
  const [left, right] = [names(old), names(fresh)];
  const both = [...left.values()].flatMap((one): Pair[] => {
    const other = right.get(one.name);
    return other === undefined ? [] : [{ old: one, new: other }];
  });
  const sorted = both.sort((one, other) => (one.old.name < other.old.name ? -1 : 1));
  const reasons = sorted.map((pair) => ({ pair, reason: leftOutFor(pair) }));
  return {
    pairs: reasons.filter(({ reason }) => reason === undefined).map(({ pair }) => pair),
    onlyOnOld: [...left.keys()].filter((name) => !right.has(name)).sort(),
    onlyOnNew: [...right.keys()].filter((name) => !left.has(name)).sort(),
    leftOut: reasons.flatMap(({ pair, reason }) =>
      reason === undefined ? [] : [{ name: pair.old.name, reason }],
    ),
  };
}

/** Why a relation has no rows to compare; nothing where it has. */
function leftOutFor(pair: Pair): string | undefined {
  if (pair.old.kind === "foreign table") return "its rows are in another database";
  if (pair.old.extension !== null) return `it belongs to the extension ${pair.old.extension}`;
  const empty = (["old", "new"] as const).filter((side) => !pair[side].populated);
  return empty.length > 0
    ? `it was not refreshed yet on ${empty.join(" and ")}: REFRESH MATERIALIZED VIEW`
    : undefined;
}

/** Compares one table; where PostgreSQL refuses a statement, that is what the report says. */
async function reportTable(readers: Readers, pair: Pair, options: TableOptions): Promise<TableReport> {
  const began = Date.now();
  const { name, kind } = pair.old;
  const none = { rowsOld: 0, rowsNew: 0, chunks: 0, chunksThatDiffer: 0, reads: 0 };
  const outcome = async () => {
    const reason = differentColumns(pair);
    if (reason !== undefined) return { ...none, status: "differs" as const, reason };
    try {
      return await compareTable(readers, pair, options);
    } catch (error) {
      if (!isOfOneStatement(error)) throw error;
      return { ...none, status: "failed" as const, reason: error.message };
    }
  };
  return {
    name,
    kind: kind === "foreign table" ? "table" : kind,
    ...(await outcome()),
    seconds: (Date.now() - began) / 1000,
  };
}

/** What columns only one side has, in words. */
function differentColumns({ old, new: fresh }: Pair): string | undefined {
  const only = (one: Relation, other: Relation) =>
    Object.keys(one.columns)
      .filter((name) => !(name in other.columns))
      .sort();
  const words = [
    ...only(old, fresh).map((name) => `column ${name} is on old only`),
    ...only(fresh, old).map((name) => `column ${name} is on new only`),
  ];
  return words.length > 0 ? words.join(", ") : undefined;
}
