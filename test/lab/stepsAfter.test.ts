/**
 * What steps leave behind on real servers. Each does what it says: who owns jobs and cron, who can log in, where sequences stand. Undone,
 * all of them together leave no trace.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scriptBeside } from "../../components/script.ts";
import type { Step } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import type { ReachedPhase } from "../../stacks/runbook.ts";
import { phaseNumber } from "../../stacks/runbook.ts";
import { serverMoveRunbook } from "../../stacks/serverMove.ts";
import { expectUnchanged } from "./compare.ts";
import { checked, StepRunner } from "./stepRunner.ts";

const sides = ["old", "new"] as const;
type Side = (typeof sides)[number];

let shop: Shop;
let steps: StepRunner;
let before: Record<Side, string[]>;
const done: [Step, number][] = [];

beforeAll(async () => {
  shop = await openShop({ name: "test-after" });
  await sql("old", "create role shop_till login password 'till'");
  await shop.on("old", "gpasswd", "--add", "shop", "adm");
  for (const side of sides) await shop.script(side, firewall);
  before = await fingerprints();
  steps = new StepRunner(shop, settings());
});
afterAll(() => shop.close());

/** A firewall that sees every packet. */
const firewall = `nft add table inet filter
nft add chain inet filter input '{ type filter hook input priority 0; policy accept; }'`;

/** The demo's move; the site has a second role. */
function settings(database: Record<string, unknown> = {}) {
  return checked(demoSettings(shop.lab, { roles: ["shop", "shop_till"], ...database }));
}

async function fingerprints(): Promise<Record<Side, string[]>> {
  const [old, fresh] = await Promise.all(sides.map((side) => shop.fingerprint(side, "without rows")));
  return { old: old!, new: fresh! };
}

/** What a query gives, asked of the site's database on a side. */
function sql(side: Side, query: string): Promise<string> {
  return shop.script(
    side,
    `cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 shop <<'SQL'\n${query};\nSQL`,
  );
}

/** The units that steps start, stop, enable or disable. */
const units = (side: Side) =>
  shop.script(
    side,
    "for unit in shop-web shop-live shop-worker nginx pgbouncer cron certbot.timer; do echo $unit $(systemctl is-enabled $unit 2>&1) $(systemctl is-active $unit); done",
  );

/** A run that is killed before its step has done anything leaves one mark; its undo changes nothing. */
async function undoWhatNeverBegan(step: Step, phase: number): Promise<void> {
  const before = await units(step.side);
  const state = `/var/lib/changeover/shop/${step.name}`;
  await shop.script(step.side, `mkdir -p ${state} && echo ${phase} >${state}/begun`);
  await steps.must(step, phase, "undo");
  expect(await units(step.side), `${step.name}, killed before it began, and undone`).toBe(before);
}

/** Does every step of a phase and verifies each, as they come. */
async function doPhase(phase: ReachedPhase): Promise<void> {
  for (const step of serverMoveRunbook(settings())[phase]) {
    await undoWhatNeverBegan(step, phaseNumber(phase));
    done.push([step, phaseNumber(phase)]);
    await steps.must(step, phaseNumber(phase), "do");
    await steps.must(step, phaseNumber(phase), "verify");
  }
}

/** How a step's verify ends now. */
async function verified(name: string): Promise<number | undefined> {
  const [step, phase] = done.find(([one]) => one.name === name)!;
  return (await steps.send(step, phase, "verify")).exitCode;
}

/** Whether a unit runs, and whether it is started at boot. */
const unitOn = (side: Side) =>
  shop.script(side, "systemctl is-active shop-worker || true; systemctl is-enabled shop-worker || true");

describe("psql", () => {
  const chosen = (preparation: string) =>
    shop.script(
      "old",
      `set -Eeuo pipefail\nPGPORT=5432\n${scriptBeside(import.meta.url, "../../components/shell/psql.sh")}
${preparation}\nchoose_psql\nprintf '%s' "$PSQL"`,
    );

  it("is started itself where Debian's wrapper can find nothing else", async () => {
    const program = await chosen("");
    expect(program).toMatch(/^\/usr\/lib\/postgresql\/\d+\/bin\/psql$/);
    const exe = await shop.script(
      "old",
      "cd / && runuser -u postgres -- psql -XAtc '\\! readlink /proc/$PPID/exe'",
    );
    expect(exe).toBe(program);
  });

  it.each([
    ["PGHOST says where", "export PGHOST=/tmp"],
    ["PGCLUSTER says which", "export PGCLUSTER=15/main"],
    ["the cluster is down, or listens elsewhere", "PGPORT=5499"],
    [
      "there are two clusters",
      "install -D /dev/null /etc/postgresql/9.6/x/postgresql.conf; trap 'rm -r /etc/postgresql/9.6' EXIT",
    ],
    [
      "PATH has another",
      "mkdir /tmp/path; ln -s /bin/true /tmp/path/psql; PATH=/tmp/path:$PATH; trap 'rm -r /tmp/path' EXIT",
    ],
  ])("is what PATH says where %s", async (_, preparation) => {
    expect(await chosen(preparation)).toBe("psql");
  });
});

describe("accounts", () => {
  const files = "/etc/passwd /etc/shadow /etc/group /etc/gshadow /etc/subuid /etc/subgid";
  const accountFiles = () => shop.script("new", `sort ${files}`);
  const prepared = () => serverMoveRunbook(settings()).prepared;
  const step = () => prepared().find(({ name }) => name === "accounts")!;
  const ahead = () => prepared().slice(0, prepared().indexOf(step()));
  let clean: string;
  let made: string;

  beforeAll(async () => {
    clean = await accountFiles();
    for (const one of ahead()) await steps.must(one, 1, "do");
    await steps.must(step(), 1, "do");
    made = await accountFiles();
    expect(made).toMatch(/^shop:/m);
    expect(made).toMatch(/^\w+:[!*]*::shop$/m);
  });
  afterAll(async () => {
    for (const one of ahead().toReversed()) await steps.must(one, 1, "undo");
  });

  it.each([
    [
      "groupadd",
      "gid=$(id -g shop); userdel shop; groupadd --gid $gid shop 2>/dev/null || true; sed -i '/^shop:/d' /etc/gshadow",
    ],
    ["useradd", "sed -i '/^shop:/d' /etc/shadow"],
    ["gpasswd", "sed -i 's/^\\(.*:\\)shop$/\\1/' /etc/gshadow"],
  ])("are made whole after a %s that was killed between two files", async (_, killed) => {
    await shop.script("new", `${killed}; rm /var/lib/changeover/shop/accounts/done`);
    expect(await accountFiles()).not.toBe(made);
    await steps.must(step(), 1, "do");
    expect(await accountFiles()).toBe(made);
  });

  it.each([
    ["userdel", "sed -i '/^shop:/d' /etc/passwd"],
    ["userdel, later", "sed -i '/^shop:/d' /etc/passwd /etc/shadow"],
    [
      "groupdel",
      "userdel shop; getent group shop >/dev/null && groupdel shop; echo 'shop:!::' >>/etc/gshadow",
    ],
  ])("leave nothing after a %s that was killed between two files", async (_, killed) => {
    await steps.must(step(), 1, "do");
    await shop.script("new", killed);
    await steps.must(step(), 1, "undo");
    expect(await accountFiles()).toBe(clean);
  });
});

describe("prepared", () => {
  it("is done by its steps", async () => {
    await shop.script("old", "touch /srv/shop/app/passing.py /srv/shop/uploads/passing.txt");
    await doPhase("prepared");
  });

  it("opens the firewall for the other server alone", async () => {
    const others = { old: shop.lab.new.address, new: shop.lab.old.address };
    for (const side of sides) {
      const rules = (await shop.on(side, "nft", "list", "ruleset"))
        .split("\n")
        .filter((line) => line.includes('comment "changeover-shop"'));
      expect(rules.length, side).toBeGreaterThan(0);
      for (const rule of rules) expect(rule, side).toContain(`saddr ${others[side]} `);
    }
  });

  it("has users and groups on new as on old", async () => {
    const [old, fresh] = await Promise.all(sides.map((side) => shop.on(side, "id", "-Gn", "shop")));
    expect(fresh).toBe(old);
  });

  it("has a maintenance page that tells programs when to come again", async () => {
    const page = (verb: string) =>
      shop.script(
        "new",
        `set -Eeuo pipefail
MOVE=shop SIDE=new PAGE='<p>closed</p>' RETRY_AFTER=30
die() { echo "$*" >&2; exit 1; }
replace_file() { cat >"$1"; }
${["../../components/proxy/nginx.sh", "../../components/proxy/include.sh", "../../components/maintenance/page.sh"].map((file) => scriptBeside(import.meta.url, file)).join("\n")}
${verb}`,
      );
    const answer = () =>
      shop.script(
        "old",
        `printf 'GET / HTTP/1.0\\r\\nHost: shop.example.org\\r\\n\\r\\n' | timeout 10 openssl s_client -quiet -connect ${shop.lab.new.address}:443 -servername shop.example.org 2>/dev/null`,
      );
    await page("page_on");
    const closed = await answer();
    expect(closed).toMatch(/^HTTP\/1\.1 503 /);
    expect(closed).toContain("Retry-After: 30\r\n");
    expect(closed).toContain("<p>closed</p>");
    await page("page_off");
    expect(await answer()).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("app", () => {
  it("is done by its steps", async () => {
    await shop.script("old", "rm /srv/shop/app/passing.py /srv/shop/uploads/passing.txt");
    await doPhase("app");
  });

  it("has no file on new that has gone from old since the first copy", async () => {
    const left = "ls /srv/shop/app/passing.py /srv/shop/uploads/passing.txt 2>/dev/null || true";
    expect(await shop.script("new", left)).toBe("");
  });

  it("has jobs and cron on new alone, also after a reboot", async () => {
    expect(await unitOn("old")).toBe("inactive\ndisabled");
    expect(await unitOn("new")).toBe("active\nenabled");
    const cron = "ls /etc/cron.d/shop /var/spool/cron/crontabs/shop 2>/dev/null || true";
    expect(await shop.script("old", cron)).toBe("");
    expect(await shop.script("new", cron)).toBe("/etc/cron.d/shop\n/var/spool/cron/crontabs/shop");
  });

  it("is not what was done where somebody has started the jobs on old again, or a reboot would", async () => {
    expect(await verified("jobs-stop")).toBe(0);
    await shop.on("old", "systemctl", "start", "shop-worker");
    expect(await verified("jobs-stop")).not.toBe(0);
    await shop.on("old", "systemctl", "stop", "shop-worker");
    await shop.on("old", "systemctl", "enable", "shop-worker");
    expect(await verified("jobs-stop")).not.toBe(0);
    await shop.on("old", "systemctl", "disable", "shop-worker");
    expect(await verified("jobs-stop")).toBe(0);
  });

  it("refuses every push, on both servers, and says why", async () => {
    for (const side of sides) {
      const said = await shop.script(
        side,
        "/srv/git/shop.git/hooks/pre-receive 2>&1 && echo accepted || true",
      );
      expect(said, side).toContain("Deploys to this server are closed");
      expect(said, side).not.toContain("accepted");
    }
  });
});

describe("database", () => {
  it("is done by its steps", async () => {
    // Sequences are no rows: nothing but the switch brings them.
    await sql("old", "select setval('invoice_number', 20000), setval('customers_id_seq', 5000)");
    await doPhase("database");
  });

  it("has every sequence on new where it was on old, those of no column too", async () => {
    const sequences = "select schemaname, sequencename, last_value from pg_sequences order by 1, 2";
    const drawn = await sql("new", sequences);
    expect(drawn).toContain("public|invoice_number|20000");
    expect(drawn).toContain("public|customers_id_seq|5000");
  });

  it("lets every role of the site in on new, and none on old", async () => {
    const logins =
      "select rolname, rolcanlogin from pg_roles where rolname in ('shop', 'shop_till') order by 1";
    expect(await sql("old", logins)).toBe("shop|f\nshop_till|f");
    expect(await sql("new", logins)).toBe("shop|t\nshop_till|t");
  });

  it("brings to old what is written on new", async () => {
    await sql("new", "insert into customers (email, name) values ('late@example.org', 'Late')");
    await expect
      .poll(() => sql("old", "select count(*) from customers where name = 'Late'"), { timeout: 30_000 })
      .toBe("1");
  });
});

describe("the way back", () => {
  it("undoes every step", async () => {
    for (const [step, number] of done.toReversed()) await steps.must(step, number, "undo");
  });

  it.each(sides)("leaves %s as it was: files, users, units, firewall, roles, schema", async (side) => {
    expectUnchanged(before[side], await shop.fingerprint(side, "without rows"), side);
  });
});

describe("the end of a move", () => {
  it("leaves new no way to old, and old nothing that runs", async () => {
    const dump = settings({ strategy: "dump" });
    const runner = new StepRunner(shop, dump);
    const all = Object.values(serverMoveRunbook(dump)).flat();
    const needed = [
      ...["access-key", "firewall-open", "access-gate", "database-access", "deploys-old"],
      ...["finish-old", "finish-new"],
    ];
    for (const name of needed)
      await runner.must(
        all.find((step) => step.name === name)!,
        name.startsWith("finish") ? phaseNumber("finished") : phaseNumber("prepared"),
        "do",
      );
    const left = await shop.script(
      "old",
      `{ cat /root/.ssh/authorized_keys; nft list ruleset; cat /etc/postgresql/*/main/pg_hba.conf; } | grep changeover || true
systemctl is-active shop-web shop-live || true`,
    );
    expect(left).toBe("inactive\ninactive");
    expect(await shop.script("new", "ls /var/lib/changeover/shop/access-key/key 2>&1 || true")).toContain(
      "No such file",
    );
    const push = await shop.script("old", "/srv/git/shop.git/hooks/pre-receive 2>&1 || echo refused");
    expect(push).toContain("the site has moved");
    expect(push).toContain("refused");
  });
});
