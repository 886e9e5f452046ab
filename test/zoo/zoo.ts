/** The zoo: a database with every kind of thing, and the lines that describe a database. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Shop } from "../../demo/shop.ts";

type Side = "old" | "new";

const read = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");

/** A script that gives SQL to psql as the superuser, and prints bare rows. */
const psql = (database: string, sql: string) =>
  `cd / && runuser -u postgres -- psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname='${database}' <<'END_OF_SQL'\n${sql}\nEND_OF_SQL`;

/** Runs SQL as the superuser; what it prints. */
export async function query(shop: Shop, side: Side, database: string, sql: string): Promise<string> {
  return shop.script(side, psql(database, sql));
}

/** What the zoo is made of: rows of its table `bulk` (about 130 bytes each), bytes of its biggest value. */
export interface ZooSize {
  rows: number;
  toast: number;
}

/** Makes the roles and the databases `zoo` and `zoo_empty` on a server. */
export async function buildZoo(shop: Shop, side: Side, { rows, toast }: ZooSize): Promise<void> {
  const parts = ["cluster.sql", "types.sql", "tables.sql", "rows.sql", "code.sql"].map(read);
  const variables = [`\\set rows ${rows}`, `\\set toast ${toast}`, "\\o /dev/null"];
  await query(shop, side, "postgres", [...variables, ...parts].join("\n"));
}

/** All that makes up a database and its roles, as lines that do not depend on the server's version. */
export async function describeDatabase(shop: Shop, side: Side, database: string): Promise<string[]> {
  const lines = (await query(shop, side, database, read("describe.sql"))).split("\n");
  if (!lines.some((line) => line.startsWith('["database", ')))
    throw new Error(`${side}, database ${database}: should describe itself, but says ${lines[0]}`);
  return lines;
}
