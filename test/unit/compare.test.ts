/** The pure parts of the comparison of databases. What they do to real servers is in test/lab/compareDatabases.test.ts. */
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { matchRelations } from "../../components/database/compare/compare.ts";
import {
  chunkRows,
  identifier,
  nextValues,
  type Relation,
  rowHash,
  rowsByKey,
  sumOfRange,
} from "../../components/database/compare/queries.ts";
import { loginProblem } from "../../components/database/compare/reader.ts";
import {
  type ComparisonReport,
  isEqual,
  renderReport,
  type TableReport,
} from "../../components/database/compare/report.ts";
import { scramVerifier } from "../../components/database/compare/scram.ts";
import { matchSequences } from "../../components/database/compare/sequences.ts";
import { differences } from "../../components/database/compare/table.ts";

const orders: Relation = {
  name: "public.orders",
  source: "only public.orders",
  kind: "table",
  populated: true,
  extension: null,
  bytes: 8192,
  tuples: 10,
  columns: { shop: "text", number: "integer", 'say "x"': "bytea", price: "double precision" },
  key: ["shop", "number"],
  operators: [],
};

describe("the password", () => {
  it("becomes the verifier that RFC 7677's example was checked with", () => {
    const verifier = scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"), 4096);
    const [, storedKey, serverKey] = /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$(.+):(.+)$/.exec(
      verifier,
    )!;
    expect(storedKey).toBe("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
    const message =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const signature = createHmac("sha256", Buffer.from(serverKey!, "base64"))
      .update(message)
      .digest("base64");
    expect(signature).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });

  it("gets another salt each time", () => {
    expect(scramVerifier("pencil")).not.toBe(scramVerifier("pencil"));
  });
});

describe("statements", () => {
  it("quote names", () => {
    expect(identifier('a"; drop table b; --')).toBe('"a""; drop table b; --"');
  });

  it("hash columns by name, and what versions write otherwise by its bits", () => {
    const [first, second] = [
      { b: "text", a: "real" },
      { a: "real", b: "text" },
    ];
    expect(rowHash(first)).toBe(rowHash(second));
    expect(rowHash(orders.columns)).toBe(
      `('x' || substr(md5(row(t."number", float8send(t."price"), md5(t."say ""x"""), t."shop")::text), 1, 16))::bit(64)::bigint`,
    );
  });

  it("take keys as parameters with the key's types, never as text", () => {
    const { text, values } = sumOfRange(orders, { after: ["it's", "1"], upTo: ["z", "9"] }, 100);
    expect(text).toContain(
      `where (t."shop", t."number") > ($1::text, $2::integer) and (t."shop", t."number") <= ($3::text, $4::integer) order by t."shop", t."number" limit 100`,
    );
    expect(values).toEqual(["it's", "1", "z", "9"]);
    expect(sumOfRange(orders, { upTo: ["z", "9"] }, 100).text).toContain("<= ($1::text, $2::integer)");
    expect(sumOfRange(orders, {}, 100)).toMatchObject({
      values: [],
      text: expect.not.stringContaining("where") as string,
    });
    expect(
      rowsByKey(orders, [
        ["a", "1"],
        ["b", "2"],
      ]),
    ).toMatchObject({
      text: expect.stringContaining('on t."shop" = w.k0::text and t."number" = w.k1::integer') as string,
      values: [
        ["a", "b"],
        ["1", "2"],
      ],
    });
  });

  it("read many sequences at once, and refuse an increment that is no number", () => {
    expect(
      nextValues([
        { name: "a", increment: "1" },
        { name: "b", increment: "-5" },
      ]),
    ).toMatch(/^select 0 .*\+ 1 .* from a\nunion all select 1 .*\+ -5 .* from b\norder by place$/);
    expect(() => nextValues([{ name: "a", increment: "1; drop table b" }])).toThrow(SyntaxError);
  });

  it.each([
    ["narrow rows", 100_000_000, 1_000_000, 10_000],
    ["rows of 16 kB", 16_000_000_000, 1_000_000, 1000],
    ["rows of 100 MB", 1_000_000_000, 10, 20],
    ["a table that was never analyzed", 1_000_000_000, -1, 10_000],
    ["an empty table", 0, 0, 10_000],
  ])("read a chunk of %s", (_title, bytes, tuples, rows) => {
    expect(chunkRows({ bytes, tuples })).toBe(rows);
  });
});

describe("what differs", () => {
  it("is told row by row", () => {
    const rows = (entries: Record<string, string>) =>
      new Map(Object.entries(entries).map(([key, hash]) => [JSON.stringify([key]), hash]));
    expect(differences(rows({ a: "1", b: "2", c: "3" }), rows({ a: "1", b: "9", d: "4" }))).toEqual([
      { key: ["b"], is: "changed" },
      { key: ["c"], is: "missing on new" },
      { key: ["d"], is: "only on new" },
    ]);
  });

  it("is told of tables and of what holds no rows of its own", () => {
    const named = (name: string, more: Partial<Relation> = {}): Relation => ({ ...orders, name, ...more });
    const view = { kind: "materialized view" } as const;
    expect(
      matchRelations(
        [
          named("b"),
          named("a"),
          named("gone"),
          named("far", { kind: "foreign table" }),
          named("view", view),
          named("geo", { extension: "postgis" }),
        ],
        [
          named("a"),
          named("b"),
          named("more"),
          named("far", { kind: "foreign table" }),
          named("view", { ...view, populated: false }),
          named("geo", { extension: "postgis" }),
        ],
      ),
    ).toEqual({
      pairs: [
        { old: named("a"), new: named("a") },
        { old: named("b"), new: named("b") },
      ],
      onlyOnOld: ["gone"],
      onlyOnNew: ["more"],
      leftOut: [
        { name: "far", reason: "its rows are in another database" },
        { name: "geo", reason: "it belongs to the extension postgis" },
        { name: "view", reason: "it was not refreshed yet on new: REFRESH MATERIALIZED VIEW" },
      ],
    });
  });

  it.each([
    ["1", "7", "7", "equal"],
    ["1", "7", "8", "ahead"],
    ["1", "8", "7", "behind"],
    ["-1", "-7", "-8", "ahead"],
    ["-1", "-8", "-7", "behind"],
    ["1", "9223372036854775807", "9223372036854775808", "ahead"],
  ])("a sequence that adds %s, next %s on old and %s on new, is %s", (increment, old, fresh, status) => {
    const one = (next: string) => [{ name: "s", increment, next }];
    expect(matchSequences(one(old), one(fresh))).toEqual([{ name: "s", old, new: fresh, status }]);
  });

  it("is told of sequences that one side has", () => {
    const one = (name: string) => [{ name, increment: "1", next: "5" }];
    expect(matchSequences(one("a"), one("b"))).toEqual([
      { name: "a", old: "5", status: "missing on new" },
      { name: "b", new: "5", status: "only on new" },
    ]);
  });
});

const table: TableReport = {
  name: "public.orders",
  kind: "table",
  status: "equal",
  rowsOld: 10,
  rowsNew: 10,
  chunks: 1,
  chunksThatDiffer: 0,
  reads: 1,
  seconds: 0.1,
};
const report: ComparisonReport = {
  database: "shop",
  equal: true,
  tables: [table],
  onlyOnOld: [],
  onlyOnNew: [],
  leftOut: [],
  sequences: [{ name: "public.s", old: "5", new: "6", status: "ahead" }],
  seconds: 2,
};

describe("the report", () => {
  it.each<[string, Partial<ComparisonReport>, boolean]>([
    ["nothing", {}, true],
    ["a table that differs", { tables: [table, { ...table, status: "differs" }] }, false],
    ["a table that failed", { tables: [{ ...table, status: "failed" }] }, false],
    ["a materialized view", { tables: [{ ...table, kind: "materialized view", status: "differs" }] }, true],
    ["a table on old only", { onlyOnOld: ["a"] }, false],
    ["a table on new only", { onlyOnNew: ["a"] }, false],
    ["a sequence behind", { sequences: [{ name: "s", status: "behind" }] }, false],
    ["a sequence that is missing", { sequences: [{ name: "s", status: "missing on new" }] }, false],
  ])("counts %s", (_title, more, equal) => {
    expect(isEqual({ ...report, ...more })).toBe(equal);
  });

  it("is a table, with a sentence for what is not equal", () => {
    const text = renderReport({
      ...report,
      equal: false,
      tables: [
        table,
        {
          ...table,
          name: "public.customers",
          status: "differs",
          rowsOld: 12_345,
          chunksThatDiffer: 1,
          difference: { after: ["1"], rows: [{ key: ["a\u001b[2J", "2"], is: "changed" }] },
        },
      ],
      sequences: [...report.sequences, { name: "public.t", old: "9", new: "3", status: "behind" }],
    });
    expect(text).toMatchInlineSnapshot(`
      "                  rows on old  rows on new  chunks  reads  seconds
      public.orders              10           10       1      1      0.1  equal
      public.customers        12345           10       1      1      0.1  differs

      public.customers: differs
        1 of its ranges of keys; the first is after ("1") up to the end
        row ("a\\u001b[2J", "2"): changed
      sequence public.t: is behind on new: next is 3, on old 9
      2 sequences: 1 not as they should be, 1 ahead
      shop: DIFFERS on old and new (2 s)"
    `);
  });
});

describe("a login that is refused", () => {
  const args = { side: "new", database: "shop", port: 5433 } as const;
  const file = "/etc/postgresql/17/main/pg_hba.conf";
  const error = (message: string, code?: string) => Object.assign(new Error(message), { code });
  it.each([
    [
      "by PostgreSQL's rules",
      error("no pg_hba.conf entry for host", "28000"),
      undefined,
      `new, ${file}`,
      'add the line "host "shop" changeover_compare_reader 127.0.0.1/32 scram-sha-256"',
    ],
    [
      "by sshd",
      error("Connection terminated"),
      "channel 0: open failed: administratively prohibited: open failed",
      "new, sshd",
      "AllowTcpForwarding local",
    ],
    [
      "by nobody, for nothing listens",
      error("Connection terminated"),
      "channel 0: open failed: connect failed: Connection refused",
      "new, PostgreSQL",
      "listen_addresses",
    ],
    [
      "by a full server",
      error("too many clients already", "53300"),
      undefined,
      "new, PostgreSQL",
      "mend that",
    ],
  ])("%s says what to do", (_title, cause, said, place, remedy) => {
    const finding = loginProblem(args, file, cause, said);
    expect(finding.place).toBe(place);
    expect(finding.value).toBe(said ?? cause.message);
    expect(finding.remedy).toContain(remedy);
  });
});
