/** A database with every kind of thing comes out on new as it was on old, and the way back leaves nothing there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Shop } from "../../demo/shop.ts";
import { canFollow, describeDatabase, openZoo, query, withoutFollowing, zooSettings } from "../zoo/zoo.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openZoo(process.env["LAB_NAME"] ?? "test-zoo", { rows: 20_000, toast: 50_000_000 });
});
afterAll(() => shop.close());

/** Databases and roles of a server, but for those that every server has. */
const remains = (side: "old" | "new") =>
  query(
    shop,
    side,
    "postgres",
    `select datname from pg_database union all select rolname from pg_roles where rolname !~ '^pg_'
     union all select 'parameter ' || parname from pg_parameter_acl order by 1`,
  );

describe.each([
  { name: "zoo", strategy: "replicate", copyAhead: "1 bytes", copyRate: "0 bytes", lines: 1000 },
  { name: "zoo", strategy: "replicate", copyAhead: "1 bytes", copyRate: "100 MB", lines: 1000 },
  { name: "zoo", strategy: "dump", copyAhead: "1 bytes", copyRate: "100 MB", lines: 1000 },
  { name: "zoo", strategy: "dump", copyAhead: "1 TB", copyRate: "0 bytes", lines: 1000 },
  { name: "zoo_empty", strategy: "replicate", copyAhead: "100 MB", copyRate: "0 bytes", lines: 20 },
  { name: "zoo_empty", strategy: "dump", copyAhead: "100 MB", copyRate: "0 bytes", lines: 20 },
])(
  "the database $name by $strategy, tables of $copyAhead in streams, copyRate $copyRate",
  ({ name, strategy, copyAhead, copyRate, lines }) => {
    // A test that failed in mid-move leaves nothing of it to the next.
    afterEach(() => shop.moveTo("idle"));

    it("is the same on new, and old is what it was after the way back", async () => {
      if (strategy === "replicate") await query(shop, "old", "zoo", canFollow);
      await shop.stack.configure(zooSettings(shop, name, strategy, copyAhead, copyRate));
      const before = await describeDatabase(shop, "old", name);
      expect(before.length).toBeGreaterThan(lines);
      const remained = await remains("new");
      await shop.moveTo("database");
      expect(withoutFollowing(await describeDatabase(shop, "new", name))).toEqual(withoutFollowing(before));
      expect(await shop.script("new", "cat /etc/zoo/endpoint")).toBe(
        `zoo at 127.0.0.1:${strategy === "dump" ? 5432 : 6432}`,
      );
      await shop.moveTo("idle");
      expect(await describeDatabase(shop, "old", name)).toEqual(before);
      expect(await remains("new")).toBe(remained);
    });
  },
);

describe("the database zoo by replicate, its copy cut off when one table had come", () => {
  afterEach(() => shop.moveTo("idle"));

  it("is the same on new, and old is what it was after the way back", async () => {
    await query(shop, "old", "zoo", canFollow);
    await shop.stack.configure({
      ...zooSettings(shop, "zoo", "replicate", "1 bytes"),
      "changeover:phase": "app",
    });
    const before = await describeDatabase(shop, "old", "zoo");
    const remained = await remains("new");
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
    expect(await remains("new")).toBe(remained);
  });
});

/** A file of components/database. */
const component = (name: string) =>
  readFileSync(join(import.meta.dirname, "../../components/database", name), "utf8");

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
      `runuser -u postgres -- bash -e <<'END'\ncd /tmp/streams\n${runs.join("\n")}\nEND`,
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
