/** The zoo: a database with every kind of thing, and the lines that describe a database. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";

type Side = "old" | "new";

const read = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");

/** A script that gives SQL to psql as the superuser, and prints bare rows. */
const psql = (database: string, sql: string) =>
  `cd / && PGOPTIONS='-c statement_timeout=0' runuser -u postgres -- psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname='${database}' <<'END_OF_SQL'\n${sql}\nEND_OF_SQL`;

/** Runs SQL as the superuser; what it prints. */
export async function query(shop: Shop, side: Side, database: string, sql: string): Promise<string> {
  return shop.script(side, psql(database, sql));
}

/** What the zoo is made of: rows of its table `bulk` (about 130 bytes each), bytes of its biggest value. */
export interface ZooSize {
  rows: number;
  toast: number;
}

/** Opens a shop that has the zoo on old beside its own database. */
export async function openZoo(name: string, size: ZooSize): Promise<Shop> {
  const shop = await openShop({ name });
  await buildZoo(shop, "old", size);
  await shop.script("old", keepShopOnOld(shop.lab.old.address));
  return shop;
}

/** Makes the roles and the databases `zoo` and `zoo_empty` on a server. */
async function buildZoo(shop: Shop, side: Side, { rows, toast }: ZooSize): Promise<void> {
  const parts = ["cluster.sql", "types.sql", "tables.sql", "rows.sql", "code.sql"].map(read);
  const variables = [`\\set rows ${rows}`, `\\set toast ${toast}`, "\\o /dev/null"];
  await query(shop, side, "postgres", [...variables, ...parts].join("\n"));
  // Nothing of the database's own settings may act on a move's sessions: with this none could do anything.
  await query(shop, side, "postgres", "alter database zoo set statement_timeout = '3ms'");
}

/** All that makes up a database and its roles, as lines that do not depend on the server's version. */
export async function describeDatabase(shop: Shop, side: Side, database: string): Promise<string[]> {
  const lines = (await query(shop, side, database, read("describe.sql"))).split("\n");
  if (!lines.some((line) => line.startsWith('["database", ')))
    throw new Error(`${side}, database ${database}: should describe itself, but says ${lines[0]}`);
  return lines;
}

/** The shop's own database stays on old, for both servers; the zoo's address is in a file of its own. */
const keepShopOnOld = (address: string) => `set -e
sed -i 's/127\\.0\\.0\\.1:5432/${address}:5432/' /etc/shop/shop.env
hba=$(cd / && runuser -u postgres -- psql -XAtc 'show hba_file')
printf 'hostssl shop shop 198.51.100.0/24 scram-sha-256\\n' >>"$hba"
systemctl reload postgresql
systemctl restart shop-web shop-live shop-worker
install -d /etc/zoo
printf 'zoo at 127.0.0.1:5432\\n' >/etc/zoo/endpoint`;

/** Settings that move a database of the zoo, beside the demo's own. */
export function zooSettings(
  shop: Shop,
  name: string,
  strategy: string,
  copyAhead: string,
  copyRate = "0 bytes",
): Record<string, unknown> {
  const site = demoSettings(shop.lab)["changeover:site"] as { code: string[] };
  return {
    "changeover:site": { ...site, code: [...new Set([...site.code, "/etc/zoo"])] },
    "changeover:database": {
      name,
      roles: ["zoo_app", "Zoo Reader ü"],
      strategy,
      copyAhead,
      copyRate,
      endpoint: { file: "/etc/zoo/endpoint", address: "127.0.0.1:5432" },
    },
  };
}

/** What the guards name as remedies for the zoo: some of it cannot be followed. */
export const canFollow = `
alter table zoo.identity_nothing replica identity default;
alter table zoo.texts enable trigger "always; $(id)", disable trigger on_replica;
set password_encryption = 'scram-sha-256';
alter role zoo_app password 'app';
alter role "Zoo Reader ü" password 'reader';`;

/** A database, without what a move keeps there while one side follows the other: a mark, and replica identities. */
export const withoutFollowing = (lines: string[]) =>
  lines
    .filter((line) => !line.includes("changeover_shop"))
    .map((line) => line.replace('"identity": "f"', '"identity": "d"'));

/** Databases and roles of a server, but for those that every server has. */
export const remains = (shop: Shop, side: Side) =>
  query(
    shop,
    side,
    "postgres",
    `select datname from pg_database union all select rolname from pg_roles where rolname !~ '^pg_'
     union all select 'parameter ' || parname from pg_parameter_acl order by 1`,
  );
