/** The zoo whose copy is cut off, and the streams of its big tables. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Shop } from "../../demo/shop.ts";
import {
  canFollow,
  describeDatabase,
  openZoo,
  query,
  remains,
  withoutFollowing,
  zooSettings,
} from "../zoo/zoo.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openZoo(process.env["LAB_NAME"] ?? "soak-zoo-streams", { rows: 20_000, toast: 50_000_000 });
});
afterAll(() => shop.close());

describe("the database zoo by replicate, its copy cut off when one table had come", () => {
  afterEach(() => shop.moveTo("idle"));

  it("is the same on new, and old is what it was after the way back", async () => {
    await query(shop, "old", "zoo", canFollow);
    await shop.stack.configure({
      ...zooSettings(shop, "zoo", "replicate", "1 bytes"),
      "changeover:phase": "app",
    });
    const before = await describeDatabase(shop, "old", "zoo");
    const remained = await remains(shop, "new");
    const complete =
      "select exists (select from changeover_shop.copied group by relation having bool_and(done))";
    const [{ exitCode, all }] = await Promise.all([
      shop.stack.up(),
      shop.script(
        "new",
        `cd /; end=$((SECONDS + 300))
until [[ $(runuser -u postgres -- psql -XAtqc "${complete}" zoo 2>/dev/null) == t ]]; do ((SECONDS < end)) || exit 1; sleep 0.05; done
systemctl kill --signal=KILL changeover-shop-database-follow`,
      ),
    ]);
    expect(exitCode, all).not.toBe(0);
    expect(all).toContain("what had come completely is kept");
    await shop.moveTo("app");
    expect(await shop.script("new", "cat /var/lib/changeover/shop/database-follow/progress")).toContain(
      "PostgreSQL copies what had not come",
    );
    await shop.moveTo("database");
    expect(withoutFollowing(await describeDatabase(shop, "new", "zoo"))).toEqual(withoutFollowing(before));
    await shop.moveTo("idle");
    expect(await describeDatabase(shop, "old", "zoo")).toEqual(before);
    expect(await remains(shop, "new")).toBe(remained);
  });
});

/** A file of components/database. */
const component = (name: string) =>
  readFileSync(join(import.meta.dirname, "../../components/database", name), "utf8");

/** Bash by which psql takes no settings of the database, as the product's sessions do not. */
const ourSession = `${component("../shell/psql.sh")}\nexport PGOPTIONS="$OUR_SESSION"`;

/** One stream of streams.sql: how rows come out on old, and go in on new. */
interface Stream {
  kind: string;
  table: string;
  out: string;
  in: string;
}

const oddTable = `zoo."PROGRAM :'horizon' :piece it's; $(id) \`id\` ""q"" \\ {}%s 🦓"`;

describe("the streams of big tables, cut into many pieces", () => {
  let streams: Stream[];
  /** What a server has of the tables that stream, one line a table. */
  const rows = async (side: "old" | "new") => {
    const streamed = new Set(streams.map(({ table }) => table));
    return (await describeDatabase(shop, side, "zoo")).filter((line) => {
      const [kind, table] = JSON.parse(line) as [string, string];
      return kind === "rows" && streamed.has(table);
    });
  };
  /** Runs the streams of some kinds on new, from the files that came from old. */
  const receive = (...kinds: string[]) => {
    const runs = streams.flatMap(({ kind }, number) =>
      kinds.includes(kind)
        ? [`psql -Xq -v ON_ERROR_STOP=1 -v record= -v program="cat $PWD/${number}.rows" -f ${number}.in zoo`]
        : [],
    );
    return shop.script(
      "new",
      `${ourSession}\nrunuser -u postgres -- bash -e <<'END'\ncd /tmp/streams\n${runs.join("\n")}\nEND`,
    );
  };

  beforeAll(async () => {
    // The biggest value travels in the moves above; here it would only take long.
    await query(shop, "old", "zoo", "delete from zoo.big_value where id = 1; vacuum full zoo.big_value;");
    const plan = `\\pset fieldsep '\\t'\n\\set big 1\n\\set piece 65536\n\\set workers 2\n${component("streams.sql")}`;
    streams = (await query(shop, "old", "zoo", plan)).split("\n").map((line) => {
      const [kind = "", table = "", out = "", into = ""] = line.split("\t");
      return { kind, table, out, in: into };
    });
    const files = streams.flatMap((stream, number) =>
      (["out", "in"] as const).map(
        (way) =>
          `{ session_settings; cat; } >${number}.${way} <<'END_OF_STREAM'\n${stream[way]};\nEND_OF_STREAM`,
      ),
    );
    const packed = await shop.script(
      "old",
      `set -e; MOVE=zoo\n${component("copy.sh")}
${ourSession}
rm -rf /tmp/streams; mkdir /tmp/streams; chmod 777 /tmp/streams; cd /tmp/streams
${files.join("\n")}
runuser -u postgres -- bash -e <<'END'
pg_dumpall --roles-only | grep -v ' ROLE postgres' >roles.sql
pg_dump --create --section=pre-data --file=tables.sql zoo
for file in *.out; do psql -Xq -v ON_ERROR_STOP=1 -v horizon=3 -f "$file" zoo >"\${file%.out}.rows"; done
END
tar -cz . | base64`,
    );
    await shop.script(
      "new",
      `set -e; rm -rf /tmp/streams; mkdir /tmp/streams; cd /tmp/streams; base64 -d <<'END' | tar -xz\n${packed}\nEND
chmod 755 . ; chmod 644 ./*
runuser -u postgres -- bash -e -c 'psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -f roles.sql postgres; psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -f tables.sql postgres'`,
    );
  });

  it("bring every row of every type", async () => {
    expect(streams.filter(({ table }) => table === "zoo.bulk").length).toBeGreaterThan(20);
    await receive("ahead", "late");
    expect((await rows("old")).length).toBeGreaterThan(25);
    expect(await rows("new")).toEqual(await rows("old"));
  });

  it("replace rows that were changed, and remove those that old does not have", async () => {
    await query(
      shop,
      "new",
      "zoo",
      `update ${oddTable} set "PROGRAM" = 'stale'; update zoo.kinds set t = 'stale';
       insert into ${oddTable} values (7, 'stray', 'stray', 'stray', 'ä'); insert into zoo.domains (id) values (500);`,
    );
    await receive("change");
    await receive("keys");
    expect(await rows("new")).toEqual(await rows("old"));
  });

  it("are binary where that is the same in every version, and leave computed columns out", () => {
    const outs = (table: string) =>
      streams.filter((stream) => stream.table === table && stream.kind !== "keys");
    const binary = (table: string) => new Set(outs(table).map(({ out }) => out.endsWith("(format binary)")));
    for (const table of ["zoo.kinds", "zoo.registered", "zoo.domains"])
      expect([table, ...binary(table)]).toEqual([table, false]);
    for (const table of ["zoo.texts", "zoo.serials", oddTable])
      expect([table, ...binary(table)]).toEqual([table, true]);
    expect(outs("zoo.generated")[0]?.out).toMatch(/^copy \(select a, b from only zoo\.generated where/);
    expect(new Set(outs("zoo.generated").map(({ kind }) => kind))).toEqual(new Set(["late"]));
  });

  it("leave partitions, unlogged tables and tables without a column to pg_dump", () => {
    const tables = streams.map(({ table }) => table);
    for (const table of ["zoo.hash_0", "zoo.by_range_2023", "zoo.unlogged", "zoo.no_columns"])
      expect(tables).not.toContain(table);
  });
});
