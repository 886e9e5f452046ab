/** The statements of a comparison. Pure: names are quoted here, values are parameters. */

/** What relations.sql tells of one relation. */
export interface Relation {
  /** Quoted, with its schema. */
  name: string;
  /** What stands after `from`. */
  source: string;
  kind: "table" | "materialized view" | "foreign table" | "large objects";
  populated: boolean;
  /** The extension that it belongs to. */
  extension: string | null;
  bytes: number;
  /** PostgreSQL's own estimate of the rows; 0 or less where it has none. */
  tuples: number;
  /** Types by name. */
  columns: Readonly<Record<string, string>>;
  /** Columns that tell rows apart; empty where there are none. */
  key: readonly string[];
  /** Schemas with the operators of the key's types. */
  operators: readonly string[];
}

/** Values of a key's columns, as text. */
export type Key = readonly string[];

/** Rows after one key up to another; an absent one is the table's own end. */
export interface Range {
  after?: Key | undefined;
  upTo?: Key | undefined;
}

/** A statement and its parameters. */
export interface Statement {
  text: string;
  values: unknown[];
}

/** A name in SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Large objects as two tables: which there are, and their contents in the 2 KiB pages that PostgreSQL keeps. A dump fills holes
 * and short pages with zeros, so pages are filled up here, and pages of zeros do not count.
 */
export function largeObjects(bytes: number): Relation[] {
  const common = {
    kind: "large objects",
    populated: true,
    extension: null,
    bytes,
    tuples: bytes / 2048,
    operators: [],
  } as const;
  const page = "substr(data || zeros, 1, octet_length(zeros))";
  return [
    {
      ...common,
      name: "large objects",
      source: "pg_largeobject_metadata",
      columns: { oid: "oid" },
      key: ["oid"],
    },
    {
      ...common,
      name: "contents of large objects",
      source: `(select loid, pageno, ${page} as data from pg_largeobject,
  (select decode(repeat('00', current_setting('block_size')::int / 4), 'hex') as zeros) z where ${page} <> zeros)`,
      columns: { loid: "oid", pageno: "integer", data: "bytea" },
      key: ["loid", "pageno"],
    },
  ];
}

/**
 * A row as 64 bits, the same on both servers wherever its values are: columns by name, not as they lie; NULL is nothing and an
 * empty text is `""`. Floats go by their bits, for versions before 12 write them otherwise.
 */
export function rowHash(columns: Relation["columns"]): string {
  const values = Object.entries(columns)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, type]) => asComparable(`t.${identifier(name)}`, type));
  return `('x' || substr(md5(row(${values.join(", ")})::text), 1, 16))::bit(64)::bigint`;
}

/** A column's value in a form whose text does not depend on the version, and is short where the value is long. */
function asComparable(column: string, type: string): string {
  if (type === "bytea") return `md5(${column})`;
  if (type === "double precision") return `float8send(${column})`;
  if (type === "real") return `float4send(${column})`;
  return column;
}

/** The key's columns, for the order of an index. */
function keyColumns({ key }: Relation): string[] {
  return key.map((name) => `t.${identifier(name)}`);
}

/** The condition that a row is in a range. */
function inRange(relation: Relation, { after, upTo }: Range): Statement {
  const bound = (operator: string, key: Key | undefined, first: number) =>
    key === undefined
      ? []
      : [
          `(${keyColumns(relation).join(", ")}) ${operator} (${relation.key.map((name, index) => `$${first + index}::${relation.columns[name]}`).join(", ")})`,
        ];
  const conditions = [...bound(">", after, 1), ...bound("<=", upTo, 1 + (after?.length ?? 0))];
  return {
    text: conditions.length === 0 ? "" : `where ${conditions.join(" and ")}`,
    values: [...(after ?? []), ...(upTo ?? [])],
  };
}

/** Rows of a range in the key's order, at most so many. */
function rowsOf(relation: Relation, range: Range, wanted: string, limit: number): Statement {
  const { text, values } = inRange(relation, range);
  return {
    text: `select ${wanted} from ${relation.source} t ${text} order by ${keyColumns(relation).join(", ")} limit ${limit}`,
    values,
  };
}

/** Number, checksum and last key of a range's rows, of the first `limit` of them. */
export function sumOfRange(relation: Relation, range: Range, limit: number): Statement {
  const names = relation.key.map((_, index) => `k${index}`);
  const wanted = [
    ...keyColumns(relation).map((column, index) => `${column} as ${names[index]}`),
    `${rowHash(relation.columns)} as hash`,
  ].join(", ");
  const { text, values } = rowsOf(relation, range, wanted, limit);
  return {
    text: `with chunk as (${text})
select count(*)::text as rows, coalesce(sum(hash), 0)::text as sum,
  (select array[${names.map((name) => `${name}::text`).join(", ")}] from chunk order by ${names.map((name) => `${name} desc`).join(", ")} limit 1) as last
from chunk`,
    values,
  };
}

/** Key and hash of each row of a range, of the first `limit` of them. */
export function rowsOfRange(relation: Relation, range: Range, limit: number): Statement {
  return rowsOf(relation, range, keyAndHash(relation), limit);
}

/** Key and hash of the rows with given keys. */
export function rowsByKey(relation: Relation, keys: readonly Key[]): Statement {
  const columns = relation.key.map((name, index) => ({
    column: `t.${identifier(name)}`,
    type: relation.columns[name]!,
    wanted: `w.k${index}`,
  }));
  const names = columns.map((_, index) => `k${index}`).join(", ");
  return {
    text: `select ${keyAndHash(relation)} from unnest(${columns.map((_, index) => `$${index + 1}::text[]`).join(", ")}) w (${names})
join ${relation.source} t on ${columns.map(({ column, type, wanted }) => `${column} = ${wanted}::${type}`).join(" and ")}`,
    values: columns.map((_, index) => keys.map((key) => key[index])),
  };
}

/** What tells one row of a table with a key. */
function keyAndHash(relation: Relation): string {
  const key = keyColumns(relation).map((column) => `${column}::text`);
  return `array[${key.join(", ")}] as key, ${rowHash(relation.columns)}::text as hash`;
}

/** How many rows a range has. */
export function countOfRange(relation: Relation, range: Range): Statement {
  const { text, values } = inRange(relation, range);
  return { text: `select count(*)::text as rows from ${relation.source} t ${text}`, values };
}

/** Number and checksum of all rows, whatever their order. */
export function sumOfAll(relation: Relation): Statement {
  return {
    text: `select count(*)::text as rows, coalesce(sum(${rowHash(relation.columns)}), 0)::text as sum from ${relation.source} t`,
    values: [],
  };
}

/** The value that each sequence gives next; one statement for many. */
export function nextValues(sequences: readonly { name: string; increment: string }[]): string {
  return sequences
    .map(
      ({ name, increment }, index) =>
        `select ${index} as place, (case when is_called then last_value::numeric + ${BigInt(increment)} else last_value end)::text as next from ${name}`,
    )
    .join("\nunion all ")
    .concat("\norder by place");
}

/** The most rows of a chunk, and the bytes that it should have. */
const mostRows = 10_000;
const chunkBytes = 16_000_000;

/** How many rows a chunk gets, by the size of a row. */
export function chunkRows({ bytes, tuples }: Pick<Relation, "bytes" | "tuples">): number {
  if (tuples <= 0) return mostRows;
  return Math.min(mostRows, Math.max(20, Math.floor(chunkBytes / Math.max(1, bytes / tuples))));
}
