/**
 * The switch of a followed database, forward and back, struck at every statement in turn: no acknowledged write is lost, the two
 * sides are never both writable, users are served again by themselves, and the next `up` finishes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { switchOver } from "../../components/database/database.ts";
import { sharedSettings } from "../../components/site.ts";
import { stepScript } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { parseConfig } from "../../stacks/config.ts";
import { phaseNumber } from "../../stacks/runbook.ts";
import { watchLogins } from "../lab/logins.ts";

const poolerPort = 6432;
const perSecond = 300;
/** What the settings allow for a hold, and what may be added to it until users are served again, in seconds. */
const holdBudget = 5;
const mercy = 2;

let shop: Shop;
let script: string;
beforeAll(async () => {
  shop = await openShop({ name: "soak-switch", env: { DEMO_UPLOADS: "5" } });
  await sql(
    "old",
    "create table ledger (ref bigint primary key, at timestamptz default clock_timestamp()); grant all on ledger to shop;",
  );
  await shop.moveTo("app");
  const raw = Object.entries(demoSettings(shop.lab)).map(([key, value]) => [
    key.replace("changeover:", ""),
    value,
  ]);
  const settings = parseConfig(Object.fromEntries(raw) as Record<string, unknown>);
  script = stepScript(
    {
      move: settings.move,
      access: { old: settings.old, new: settings.new },
      settings: sharedSettings(settings),
      retain: false,
    },
    switchOver(settings),
    phaseNumber("database"),
  );
  await shop.script(
    "new",
    `cat >/root/ledger.py <<'PY'\n${readFileSync(join(import.meta.dirname, "ledger.py"), "utf8")}PY`,
  );
  await shop.script(
    "new",
    `cat >/root/strike.sh <<'SH'\n${strike}SH\nsystemctl set-environment BASH_ENV=/root/strike.sh`,
  );
});
afterAll(() => shop.close());

/**
 * Read by every bash that a unit starts: in the switch's own one, it counts the statements and what decides and releases. At the
 * number in /run/strike-at it does what that file's second line says.
 */
const strike = `
case $(tr '\\0' ' ' <"/proc/$$/cmdline") in
  */database-switchover/script.work\\ switch\\ | */database-switchover/script.work\\ back\\ )
    struck=0
    set -T
    trap 'case $\{FUNCNAME[0]:-}:$BASH_COMMAND in
      ask:* | decide:* | replace_file:*) ;;
      *":ask "* | *":decide "* | *":replace_file "* | *":mv "*)
        struck=$((struck + 1))
        printf "%s %s\\n" "$struck" "$\{BASH_COMMAND:0:60}" >/run/at-statement
        [[ ! -e /run/strike-at || $struck != "$(head -n 1 /run/strike-at)" ]] || {
          sed -n 2p /run/strike-at >/run/strike
          mv /run/strike-at /run/struck
          . /run/strike
        } ;;
    esac' DEBUG
    ;;
esac
`;

/** One value from a side's shop database, as superuser. */
function sql(side: "old" | "new", text: string): Promise<string> {
  return shop.script(side, `cd / && runuser -u postgres -- psql -XAtq shop <<'SQL'\n${text}\nSQL`);
}

/** Starts the writer on new, through PgBouncer. */
async function startWriter(): Promise<void> {
  await sql(await writable(), "truncate ledger;");
  await shop.script(
    "new",
    `rm -f /root/ledger; systemctl reset-failed writer 2>/dev/null
systemd-run --quiet --collect --unit=writer --setenv=BASH_ENV= python3 /root/ledger.py ${poolerPort} ${perSecond} /root/ledger`,
  );
  await acknowledged(50);
}

/** The side that users write. */
async function writable(): Promise<"old" | "new"> {
  const login = await sql("old", "select rolcanlogin from pg_roles where rolname = 'shop'");
  return login === "t" ? "old" : "new";
}

/** Waits for some more acknowledged writes. */
async function acknowledged(more: number): Promise<void> {
  const count = async () => Number(await shop.script("new", "grep -c '^[0-9]* 1 ' /root/ledger || true"));
  const wanted = (await count()) + more;
  await expect.poll(count, { timeout: 60_000, interval: 200 }).toBeGreaterThan(wanted);
}

/** What the writer saw since a line of its ledger: the seconds without an answer, at most, and how many writes failed. */
async function seen(since: number): Promise<{ lines: number; failed: number; longestGap: number }> {
  const lines = (await shop.script("new", `tail -n +${since + 1} /root/ledger`))
    .split("\n")
    .map((line) => line.split(" "));
  const answered = lines
    .flatMap(([, ok, , at]) => (ok === "1" ? [Number(at)] : []))
    .toSorted((a, b) => a - b);
  return {
    lines: since + lines.length,
    failed: lines.filter(([, ok]) => ok === "0").length,
    longestGap: Math.max(...answered.slice(1).map((at, index) => at - answered[index]!)),
  };
}

/** Stops the writer; the numbers that were acknowledged and are not in the database. */
async function stopWriter(): Promise<number[]> {
  await shop.script("new", "systemctl stop writer");
  const done = (await shop.script("new", "grep '^[0-9]* 1 ' /root/ledger | cut -d ' ' -f 1"))
    .split("\n")
    .map(Number);
  const rows = new Set((await sql(await writable(), "select ref from ledger")).split("\n").map(Number));
  expect(done.length).toBeGreaterThan(1000);
  return done.filter((ref) => !rows.has(ref));
}

/** Sends the switch's script as its resource would. */
function send(verb: "do" | "undo") {
  return execa(join(import.meta.dirname, "../../lab/ssh"), ["new", "bash", "-s", verb], {
    env: { LAB_NAME: shop.lab.name },
    input: script,
    reject: false,
    all: true,
  });
}

/** Fails with all that the step printed, unless it ended well. */
async function must(verb: "do" | "undo"): Promise<void> {
  const { exitCode, all } = await send(verb);
  expect(exitCode, all).toBe(0);
}

/** Runs the switch (do) or its way back (undo) with a strike planned; says whether it came to it. */
async function struck(verb: "do" | "undo", statement: number, action: string): Promise<boolean> {
  await shop.script(
    "new",
    `rm -f /run/struck; cat >/run/strike-at <<'STRIKE'\n${statement}\n${action}\nSTRIKE`,
  );
  await send(verb);
  const came = (await shop.script("new", "ls /run/struck 2>/dev/null || true")) !== "";
  await shop.script("new", "rm -f /run/strike-at");
  return came;
}

/** Strikes at one statement after another, on the way to new and on the way back, until there are no more. */
async function strikeEverywhere(action: string, allowed: number): Promise<void> {
  const stop = await watchLogins(shop);
  await startWriter();
  let line = 0;
  let worst = 0;
  for (const [verb, back] of [
    ["do", "undo"],
    ["undo", "do"],
  ] as const) {
    for (let at = 1; ; at += 1) {
      const came = await struck(verb, at, action);
      const where = `${verb}, ${(await shop.script("new", "cat /run/at-statement")).trim()}`;
      await acknowledged(50);
      if (!came) break;
      await must(verb);
      await acknowledged(50);
      const { lines, failed, longestGap } = await seen(line);
      console.log(
        `${where}: ${lines - line} written, ${failed} failed, longest gap ${longestGap.toFixed(2)} s`,
      );
      line = lines;
      worst = Math.max(worst, longestGap);
      expect(longestGap, where).toBeLessThan(allowed);
      await must(back);
    }
    await must(verb);
  }
  expect(await stopWriter()).toEqual([]);
  const logins = await stop();
  expect(logins.both).toBe(0);
  console.log(`worst gap ${worst.toFixed(2)} s`);
}

describe("the switch, at each of its statements", () => {
  it("dies", () => strikeEverywhere("kill -KILL $$", holdBudget + mercy), 3_600_000);
});
