/** The comparison of databases, on two real servers with different versions of PostgreSQL. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ComparisonOptions } from "../../components/database/compare/compare.ts";
import type { ComparisonReport } from "../../components/database/compare/report.ts";
import type { Access, Side } from "../../components/server.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { labKey } from "../../demo/settings.ts";

const checkout = join(import.meta.dirname, "../..");
const sides = ["old", "new"] as const;
const role = "changeover_compare_reader";
/** How long tests wait for something to happen. */
const waiting = { timeout: 60_000, interval: 300 };

let shop: Shop;
let access: Access;
let untouched: string[];

beforeAll(async () => {
  shop = await openShop({ name: "test-compare" });
  const server = (side: Side) => ({ ...shop.lab[side], user: "root", port: 22 });
  access = { old: server("old"), new: server("new"), privateKey: labKey(shop.lab) };
  await Promise.all(sides.map((side) => shop.script(side, logEverything)));
  untouched = await traces();
  await makeDatabase("big");
  await Promise.all(
    sides.map((side) =>
      sql(
        side,
        "create table big (id bigint primary key, a text, b text); insert into big select i, md5(i::text), repeat('x', 40) from generate_series(1, 1000000) i;",
        "big",
      ),
    ),
  );
});
afterAll(() => shop.close());

/** What the database server logs by itself would show a password that is sent. */
const logEverything = `cd / && runuser -u postgres -- psql -Xqtc "alter system set log_statement = 'all'" -c "select pg_reload_conf()"`;

/** Runs SQL on one side; its output. */
const sql = (side: Side, text: string, database = "postgres") =>
  shop.script(
    side,
    `cd / && runuser -u postgres -- psql -XAqt -v ON_ERROR_STOP=1 -d ${database} <<'SQL'\n${text}\nSQL\n`,
  );

/** Makes an empty database on both sides. */
async function makeDatabase(name: string): Promise<void> {
  await Promise.all(
    sides.map((side) => sql(side, `drop database if exists ${name};\ncreate database ${name};`)),
  );
}

/** Starts a comparison in the lab's network. */
function start(
  database: string,
  { of = access, memory, ...options }: ComparisonOptions & { of?: Access; memory?: number } = {},
) {
  const heap = memory === undefined ? [] : [`--max-old-space-size=${memory}`];
  return execa(join(checkout, "lab/run"), ["node", ...heap, join(checkout, "test/soak/compareProgram.ts")], {
    env: { LAB_NAME: shop.lab.name },
    input: JSON.stringify({ database, access: of, options: { settleDeadline: 2, ...options } }),
    reject: false,
  });
}

/** Compares; the report. */
async function compare(...args: Parameters<typeof start>): Promise<ComparisonReport> {
  const { exitCode, stdout, stderr } = await start(...args);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as ComparisonReport;
}

/** Roles, rights on databases, and files in /tmp, which a comparison leaves as they were. */
async function traces(): Promise<string[]> {
  const roles =
    "select rolname from pg_roles union all select datname || ' ' || coalesce(datacl::text, '') from pg_database where datname !~ '^(proof|live|big|texts)' order by 1";
  return Promise.all(sides.map((side) => sql(side, roles)));
}

/** Waits until the role is there, or gone, on a side. */
async function untilRole(side: Side, there: boolean): Promise<void> {
  await expect
    .poll(
      () =>
        sql(
          side,
          `select count(*) from pg_stat_activity where usename = '${role}' union all select count(*) from pg_roles where rolname = '${role}'`,
        ),
      waiting,
    )
    .toMatch(there ? /^1\n1/ : /^0\n0/);
}

afterEach(async () => {
  expect(await traces()).toEqual(untouched);
});

describe("equal databases", () => {
  let report: ComparisonReport;
  beforeAll(async () => {
    await makeDatabase("proof");
    await sql("old", readFileSync(join(import.meta.dirname, "compare.sql"), "utf8"), "proof");
    await sql("new", await shop.script("old", "cd / && runuser -u postgres -- pg_dump proof"), "proof");
    // Nobody may connect by default, and columns and rows lie otherwise on new.
    for (const side of sides) await sql(side, "revoke connect on database proof from public;");
    await sql(
      "new",
      "alter table letters drop column v; alter table letters add v int; update letters set v = substr(k, 2)::int; vacuum full;",
      "proof",
    );
    await sql(
      "new",
      "update types set a = a; update keyless set a = a where a < 5; select nextval('unused'), nextval('unused');",
      "proof",
    );
    report = await compare("proof", { rowsPerChunk: 37 });
  });

  it("are equal, table by table", () => {
    expect(report.tables.filter(({ status }) => status !== "equal")).toEqual([]);
    expect(report.equal).toBe(true);
  });

  it("are read as a whole, also what row level security hides", () => {
    expect(
      Object.fromEntries(
        report.tables.map(({ name, rowsOld, rowsNew, chunks }) => [name, `${rowsOld} ${rowsNew} ${chunks}`]),
      ),
    ).toEqual({
      '"S pace".t': "100 100 3",
      'public."Wéird ""name"""': "3000 3000 82",
      "public.child": "100 100 3",
      "public.counts": "1 1 1",
      "public.empty": "0 0 1",
      "public.keyless": "500 500 1",
      "public.letters": "2000 2000 55",
      "public.moods": "1000 1000 28",
      "public.narrow": "500 500 14",
      "public.no_columns": "1 1 1",
      "public.parent": "100 100 3",
      "public.parts_2020": "268 268 8",
      "public.parts_2021": "232 232 7",
      "public.secret": "100 100 3",
      "public.types": "3001 3001 82",
      "public.unlogged": "100 100 3",
      "contents of large objects": "4 4 1",
      "large objects": "3 3 1",
    });
    expect(report.leftOut.map(({ name }) => name)).toEqual(["public.unread"]);
    expect(report.sequences.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'public."Wéird ""name""_id_seq" equal',
      "public.down equal",
      "public.unused ahead",
    ]);
  });
});

describe("databases that differ", () => {
  /** What is changed on new, where, and the rows that are told; each of its own. */
  const changes: [what: string, table: string, statement: string, rows: string[]][] = [
    ["a float", "public.types", `update types set f8 = f8 + 1e-12 where a = 77`, ["z-77,77 changed"]],
    [
      "NULL for an empty text",
      'public."Wéird ""name"""',
      `update "Wéird ""name""" set "c'ol ☃" = null where id = 2500`,
      ["2500 changed"],
    ],
    [
      "a missing row",
      "public.moods",
      `delete from moods where f > 333.2`,
      ["ok,2024-01-01 00:20:34.567+00,333.3333333333333 missing on new"],
    ],
    ["the first row missing", "public.letters", `delete from letters where k = 'k1'`, ["k1 missing on new"]],
    ["the last row missing", "public.narrow", `delete from narrow where x = 'k99'`, ["k99 missing on new"]],
    [
      "an extra row in a partition",
      "public.parts_2021",
      `insert into parts values (99, '2021-06-01')`,
      ["99,2021-06-01 only on new"],
    ],
    [
      "extra rows behind the last",
      "public.child",
      `insert into child select generate_series(9001, 9200)`,
      ["9001", "9002", "9003", "9004", "9005"].map((id) => `${id} only on new`),
    ],
    ["extra rows in an empty table", "public.empty", `insert into empty values (5)`, ["5 only on new"]],
    [
      "a row that policies hide",
      "public.secret",
      `update secret set who = 'x' where id = 50`,
      ["50 changed"],
    ],
    [
      "a page of a large object",
      "contents of large objects",
      `select lo_put(4242, 3000, '\\x00')`,
      ["4242,1 changed"],
    ],
    ["a large object without contents", "large objects", `select lo_unlink(4244)`, ["4244 missing on new"]],
    [
      "a double row without a key",
      "public.keyless",
      `insert into keyless select * from keyless limit 1; delete from keyless where ctid = (select ctid from keyless where a <> (select a from keyless offset 500) limit 1)`,
      [],
    ],
    ["a column", '"S pace".t', `alter table "S pace".t add more int`, []],
  ];
  let report: ComparisonReport;
  beforeAll(async () => {
    await sql("new", changes.map(([, , statement]) => `${statement};`).join("\n"), "proof");
    await sql(
      "new",
      "create table more (); drop table unlogged; select setval('down', -1); drop sequence unused;",
      "proof",
    );
    report = await compare("proof", { rowsPerChunk: 37, settleDeadline: 0.2 });
  });

  it.each(changes)("tell %s, in %s", (_what, name, _statement, rows) => {
    const table = report.tables.find((one) => one.name === name);
    expect(table).toMatchObject({
      status: "differs",
      chunksThatDiffer: rows.length === 0 ? (expect.any(Number) as number) : 1,
    });
    expect(table!.difference?.rows.map(({ key, is }) => `${key.join(",")} ${is}`) ?? []).toEqual(rows);
  });

  it("tell the range of keys, the numbers of rows, and why there are no rows to tell", () => {
    const found = Object.fromEntries(report.tables.map((table) => [table.name, table]));
    expect(found["public.secret"]!.difference).toMatchObject({ after: ["37"], upTo: ["74"] });
    expect(found["public.child"]).toMatchObject({
      rowsOld: 100,
      rowsNew: 300,
      difference: { after: ["174"] },
    });
    expect(found["public.keyless"]).toMatchObject({
      rowsOld: 500,
      rowsNew: 500,
      reason: expect.stringContaining("checksum") as string,
    });
    expect(found['"S pace".t']!.reason).toBe("column more is on new only");
  });

  it("tell tables and sequences, and find the rest equal", () => {
    expect(report.equal).toBe(false);
    expect([report.onlyOnOld, report.onlyOnNew]).toEqual([["public.unlogged"], ["public.more"]]);
    expect(report.sequences.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'public."Wéird ""name""_id_seq" equal',
      "public.down behind",
      "public.unused missing on new",
    ]);
    expect(report.tables.filter(({ status }) => status === "equal").map(({ name }) => name)).toEqual([
      "public.counts",
      "public.no_columns",
      "public.parent",
      "public.parts_2020",
    ]);
  });
});

describe("texts that new sorts otherwise", () => {
  const words = `insert into words select case i % 3 when 0 then 'A' when 1 then 'a' else '-' end || md5(i::text) from generate_series(1, 3000) i;`;
  beforeAll(async () => {
    await makeDatabase("texts");
    await sql("old", `create table words (w text collate "C" primary key);${words}`, "texts");
    await sql("new", `create table words (w text collate "und-x-icu" primary key);${words}`, "texts");
  });

  it("are equal where every row is there", async () => {
    const [table] = (await compare("texts", { rowsPerChunk: 50 })).tables;
    expect(table).toMatchObject({ status: "equal", rowsOld: 3000, chunks: 61 });
    // Ranges hold other rows on new: without looking these up by their keys, they would differ.
    expect(table!.reads).toBe(2);
  });

  it.each(["A", "a", "-"])("differ by one row that begins with %s", async (first) => {
    await sql(
      "new",
      `create table kept as select w from words where w like '${first}%' limit 1; delete from words where w in (select w from kept);`,
      "texts",
    );
    const word = await sql("new", "select w from kept", "texts");
    const fewer = await compare("texts", { rowsPerChunk: 50, settleDeadline: 0.2 });
    await sql("new", `insert into words select w || 'x' from kept;`, "texts");
    const other = await compare("texts", { rowsPerChunk: 50, settleDeadline: 0.2 });
    await sql(
      "new",
      `delete from words where w like '%x'; insert into words select w from kept; drop table kept;`,
      "texts",
    );
    expect(fewer.tables[0]!.difference?.rows).toEqual([{ key: [word], is: "missing on new" }]);
    expect(other.tables[0]!.difference?.rows.length).toBeGreaterThan(0);
  });

  it("differ by one row that is on new only", async () => {
    await sql("new", "insert into words values ('Abc');", "texts");
    const report = await compare("texts", { rowsPerChunk: 50, settleDeadline: 0.2 });
    await sql("new", "delete from words where w = 'Abc';", "texts");
    expect(report.tables[0]!.difference?.rows).toEqual([{ key: ["Abc"], is: "only on new" }]);
  });
});

describe("live databases", () => {
  /** Writes the same rows on both sides, on new half a second later, until they are stopped. */
  const writer = `
select format('update live set v = %s where id = %s', i, 1 + i * 7 % 2000), format('insert into live values (%s, 0)', 2000 + i), format('delete from live where id = %s', 2000 + i - 40), 'select pg_sleep(0.02)' from generate_series(1, 100000) i \\gexec`;
  beforeAll(async () => {
    await makeDatabase("live");
    for (const side of sides)
      await sql(
        side,
        "create table live (id int primary key, v int); insert into live select i, 0 from generate_series(1, 2000) i;",
        "live",
      );
  });

  it("settle while the same is written on both, one after the other", async () => {
    const writers: Promise<unknown>[] = [];
    try {
      writers.push(sql("old", writer, "live").catch(() => undefined));
      await expect
        .poll(() => sql("old", "select max(v) from live", "live").then(Number), waiting)
        .toBeGreaterThan(20);
      writers.push(sql("new", writer, "live").catch(() => undefined));
      await expect
        .poll(() => sql("new", "select max(v) from live", "live").then(Number), waiting)
        .toBeGreaterThan(0);
      const report = await compare("live", { rowsPerChunk: 100, settleDeadline: 30 });
      expect(report.equal).toBe(true);
      expect(report.tables[0]!.reads).toBeGreaterThan(2);
    } finally {
      for (const side of sides)
        await sql(
          side,
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'live' and pid <> pg_backend_pid();",
        );
      await Promise.all(writers);
    }
  });

  it("differ where a write never arrives", async () => {
    await Promise.all(
      sides.map((side) =>
        sql(side, "truncate live; insert into live select i, 0 from generate_series(1, 2000) i;", "live"),
      ),
    );
    await sql("old", "update live set v = 1 where id = 1234", "live");
    const report = await compare("live", { rowsPerChunk: 100, settleDeadline: 1 });
    expect(report.tables[0]).toMatchObject({
      status: "differs",
      difference: { rows: [{ key: ["1234"], is: "changed" }] },
    });
    expect(report.tables[0]!.reads).toBeGreaterThan(2);
  });
});

// The program itself takes 38 MB of its heap where nothing of it has been compiled before; a million keys alone would take 30 more.
describe("a big table", () => {
  it("of a million rows is compared in little memory", async () => {
    const [table] = (await compare("big", { memory: 60 })).tables;
    expect(table).toMatchObject({ status: "equal", rowsOld: 1_000_000, rowsNew: 1_000_000, chunks: 101 });
  });

  it("of which new has not one row more than the first ten is compared in little memory", async () => {
    await sql(
      "old",
      "create table less (like big including all); insert into less select * from big where id <= 10;",
      "big",
    );
    await sql(
      "new",
      "create table less (like big including all); insert into less select * from big;",
      "big",
    );
    const report = await compare("big", { memory: 60, settleDeadline: 0.2 });
    expect(report.tables[1]).toMatchObject({
      status: "differs",
      rowsOld: 10,
      rowsNew: 1_000_000,
      difference: { rows: [{ key: ["11"], is: "only on new" }, {}, {}, {}, {}] },
    });
  });
});

describe("a comparison that cannot be done", () => {
  /** What it says, and that it says so in the end. */
  const failure = async (...args: Parameters<typeof start>) => {
    const { exitCode, stderr } = await start(...args);
    expect(exitCode, stderr).toBe(2);
    return stderr;
  };
  /** Lets comparisons wait until `release`, in the middle of their work. */
  const hold = async () => {
    const session = sql(
      "old",
      "set application_name = 'hold'; begin; lock table big in access exclusive mode; select pg_sleep(60);",
      "big",
    ).catch(() => undefined);
    await expect
      .poll(
        () =>
          sql(
            "old",
            "select count(*) from pg_locks where relation = 'big'::regclass and mode = 'AccessExclusiveLock' and granted",
            "big",
          ),
        waiting,
      )
      .toBe("1");
    return async () => {
      await sql(
        "old",
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'hold'",
      );
      await session;
    };
  };
  /** Ids of the processes of this machine that belong to a comparison. */
  const children = async (pid: number | undefined, pattern: string) =>
    (await execa("pgrep", ["-P", String(pid), "-f", "--", pattern])).stdout.split("\n").map(Number);

  it("for a wrong host key, says so and sends nothing", async () => {
    const of = { ...access, new: { ...access.new, hostKey: access.old.hostKey } };
    const text = await failure("big", { of });
    expect(text).toContain("new (root@198.51.100.20): makes a role that may read");
    expect(text).toContain("Host key verification failed");
  });

  it("for a database that is not there, says so", async () => {
    expect(await failure("nothing")).toContain("there is no database nothing");
  });

  it("for PostgreSQL's rules, says which line to add, and that line helps", async () => {
    const file = (await sql("new", "show hba_file")).trim();
    await shop.script(
      "new",
      `cp -a ${file} ${file}.kept; sed -i '1i host all ${role} 127.0.0.1/32 reject' ${file}; systemctl reload postgresql`,
    );
    try {
      const text = await failure("big");
      expect(text).toContain(
        `new, ${file}: lets the role ${role} in from 127.0.0.1 by its password, but pg_hba.conf rejects connection`,
      );
      const line = /add the line "(.*)" ahead/.exec(text)![1]!;
      await shop.script("new", `sed -i '1i ${line}' ${file}; systemctl reload postgresql`);
      expect((await compare("big")).tables[0]!.status).toBe("equal");
    } finally {
      await shop.script("new", `mv ${file}.kept ${file}; systemctl reload postgresql`);
    }
  });

  it("for sshd's, says which setting", async () => {
    await shop.script(
      "old",
      "echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/00-no.conf; systemctl reload ssh",
    );
    try {
      const text = await failure("big");
      expect(text).toMatch(/^old, sshd: leads to 127\.0\.0\.1:5432 on the server itself, but .*prohibited/);
      expect(text).toContain("AllowTcpForwarding local");
    } finally {
      await shop.script("old", "rm /etc/ssh/sshd_config.d/00-no.conf; systemctl reload ssh");
    }
  });

  it("for a cut connection, says which side", async () => {
    const release = await hold();
    const run = start("big");
    await untilRole("new", true);
    process.kill((await children(run.pid, "-W .* new$"))[0]!, "SIGKILL");
    process.kill((await children(run.pid, "-W .* old$"))[0]!, "SIGKILL");
    const { exitCode, stderr } = await run;
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toMatch(
      /^old, PostgreSQL: stays connected while the databases are compared, but Connection terminated/,
    );
    await release();
    for (const side of sides) await untilRole(side, false);
  });

  it("for a cut network, ends by itself, and so does the role", async () => {
    // Another sshd: the tests' own connection to the server stays.
    const port = 2222;
    await shop.script(
      "old",
      `systemd-run --quiet --unit=cuttable /usr/sbin/sshd -D -p ${port} -o PidFile=none`,
    );
    const release = await hold();
    const run = start("big", { of: { ...access, old: { ...access.old, port } } });
    await untilRole("old", true);
    await shop.script(
      "old",
      `nft add table inet cut; nft add chain inet cut in '{ type filter hook input priority 0; }'; nft add rule inet cut in tcp dport ${port} drop`,
    );
    const { exitCode, stderr } = await run;
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain("old, PostgreSQL: stays connected");
    for (const side of sides) await untilRole(side, false);
    await release();
    await shop.script("old", "nft delete table inet cut; systemctl stop cuttable");
  });

  it("for another one at work, says so and leaves it alone", async () => {
    const release = await hold();
    const run = start("big");
    await untilRole("old", true);
    expect(await failure("big")).toContain("another comparison is at work on this server");
    await release();
    expect((await run).exitCode).toBe(0);
  });

  it("for it was killed, leaves no role", async () => {
    const release = await hold();
    const run = start("big");
    await untilRole("old", true);
    process.kill(run.pid!, "SIGKILL");
    for (const side of sides) await untilRole(side, false);
    await release();
  });
});

describe("its role", () => {
  it("is removed by the next comparison where a server was switched off in the middle of one", async () => {
    await sql(
      "old",
      `create role ${role} login superuser; grant connect on database big to ${role}; alter role ${role} set work_mem = '1MB';`,
    );
    expect(await traces()).not.toEqual(untouched);
    expect((await compare("big")).tables[0]!.status).toBe("equal");
  });

  it("has a password that is in no log, argument or environment, and can write nothing", async () => {
    const lock = sql("old", "begin; lock table big in access exclusive mode; select pg_sleep(5);", "big");
    const run = start("big");
    await untilRole("old", true);
    const search =
      "grep -laE '[S]CRAM-SHA-256[$]|[V]ERIFIER' /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null || true";
    expect(await shop.script("old", search)).toBe("");
    expect((await execa("bash", ["-c", search])).stdout).toBe("");
    const rights =
      "select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolconnlimit, rolvaliduntil < now() + interval '3 minutes', has_table_privilege(oid, 'big', 'insert, update, delete, truncate, trigger') from pg_roles where rolname = ";
    expect(await sql("old", `${rights}'${role}'`, "big")).toBe("f|f|f|t|1|t|f");
    await lock;
    expect((await run).exitCode).toBe(0);
    for (const side of sides) {
      const log = await shop.script(side, "cat /var/log/postgresql/*.log");
      expect(log).toContain("select count(*)::text as rows");
      expect(log).not.toMatch(/SCRAM-SHA-256\$|verifier/);
    }
  });
});

describe("changeover compare", () => {
  /** Runs the program in the stack's folder, as an operator does. */
  const run = async (settings: Record<string, unknown>) => {
    await shop.stack.configure({
      "changeover:database": { name: "big", roles: "shop", endpoint: { file: "/etc/shop/shop.env" } },
      ...settings,
    });
    return shop.stack.execute("node", join(checkout, "cli/changeover.ts"), "compare", "--stack", "test");
  };

  it("ends with 0 where the databases are equal, as a user with sudo and with a key from a secret", async () => {
    await Promise.all(sides.map((side) => shop.script(side, sudoUser)));
    for (const side of sides) await sql(side, "drop table if exists less", "big");
    const user = (side: Side) => ({ ...shop.lab[side], user: "deploy" });
    const { exitCode, stdout, stderr } = await run({
      "changeover:old": user("old"),
      "changeover:new": user("new"),
      "changeover:privateKeyFile": undefined,
      "changeover:privateKey": await shop.stack.seal(labKey(shop.lab)),
    });
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/^public\.big +1000000 +1000000 .* equal$/m);
    expect(stdout).toMatch(/^big: equal on old and new/m);
    expect(stdout + stderr).not.toContain("PRIVATE KEY");
  });

  it("ends with 1 and the row where they differ", async () => {
    await sql("new", "update big set a = 'x' where id = 500000", "big");
    const { exitCode, stdout } = await run({});
    expect(exitCode).toBe(1);
    expect(stdout).toContain('row ("500000"): changed');
    expect(stdout).toMatch(/^big: DIFFERS on old and new/m);
  });

  it("ends with 2 and every error where the settings are wrong", async () => {
    const { exitCode, stderr } = await run({
      "changeover:holdBudget": "5 parsecs",
      "changeover:stepDeadline": "never",
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("The settings have 2 errors");
  });
});

/** The user that docs/sudoers is for. */
const sudoUser = `
useradd --create-home --shell /bin/bash deploy
install -d -m 700 -o deploy /home/deploy/.ssh
install -m 600 -o deploy /root/.ssh/authorized_keys /home/deploy/.ssh/authorized_keys
install -m 440 /dev/stdin /etc/sudoers.d/changeover <<'END'
${readFileSync(join(checkout, "docs/sudoers"), "utf8")}
END
`;
