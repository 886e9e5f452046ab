/**
 * The switch of a followed database, with a writer at work, struck where a test says: by a fault on either server, or in the network
 * between them.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { switchOver } from "../../components/database/database.ts";
import { sharedSettings } from "../../components/site.ts";
import { stepScript } from "../../components/step.ts";
import { demoSettings } from "../../demo/settings.ts";
import { openShop, type Shop } from "../../demo/shop.ts";
import { parseConfig } from "../../stacks/config.ts";
import { phaseNumber } from "../../stacks/runbook.ts";
import { watchLogins } from "./logins.ts";
import { startUnit } from "./units.ts";

export type Side = "old" | "new";
/** The switch, and its way back. */
export const verbs = ["do", "undo"] as const;
export type Verb = (typeof verbs)[number];

/** A fault: what brings it about, and what ends it. */
export interface Fault {
  name: string;
  /** Bash that the switch's own shell on new runs at the strike. */
  strike: string;
  /** Ends by somebody's hand: bash on a side, beside the switch, that prints when (seconds since the epoch). */
  mend?: { side: Side; script: string };
  /** The side whose users nobody can serve until it has been mended. */
  takes?: Side;
}

/** What the writer saw of one strike. */
export interface Seen {
  acknowledged: number;
  failed: number;
  lost: number;
  /** Seconds without an answer, at most; but for those in which nobody could have given one. */
  longestGap: number;
}

/** Seconds within which users are served again after a strike: the settings' holdBudget, and a little more. */
const holdBudget = 5;
const mercy = 2;

/** Where the switch is struck: the number of a statement, or a pattern (of bash) for one of the commands that it is made of. */
export type Point = number | string;

/** Points of the switch by name. */
export const points = {
  preparing: "prepare_switch *",
  "before the hold": "hold_statements*",
  "before the fence": "fence_side *",
  "before the last writes": "drain *",
  "between fence and decision": "copy_sequences *",
  "before the decision": "decide*",
  "after the decision": "unfence_side *",
  "before the release": "mv *",
  "after the release": "tidy_switch *",
} as const;

/** A span of time in which nobody could have answered, in seconds since the epoch. */
type Outage = readonly [from: number, to: number];

const poolerPort = 6432;
const perSecond = 300;

/** A shop whose database can be switched and struck. */
export interface Struck {
  shop: Shop;
  /** Strikes the switch (do) or its way back (undo), has the next run finish it, and checks what the writer saw. */
  strike: (fault: Fault, verb: Verb, point: Point) => Promise<Seen | undefined>;
  /** Reboots a server without warning in the switch or its way back; users come back by the servers' own doing. */
  reboot: (side: Side, verb: Verb, point: Point) => Promise<Seen>;
  /** Plants a strike of the caller's own, who runs the switch and finishes it. */
  plant: (point: Point, script: string) => Promise<void>;
  /** Runs the switch or its way back to its end. */
  finish: (verb: Verb) => Promise<void>;
  /** Checks what the writer saw since the last check. */
  check: (where: string, outage?: Outage) => Promise<Seen>;
  /** Waits for some more acknowledged writes. */
  acknowledged: (more: number) => Promise<void>;
  /** Stops writer and watchers: nothing that was acknowledged is missing, and the two sides were never both writable. */
  close: () => Promise<void>;
}

/** Opens a shop that has come to the phase `app`, with the writer at work; a small disk on new can be filled. */
export async function openStruck(name: string, disk: "big" | "small" = "big"): Promise<Struck> {
  const shop = await openShop({ name, from: "prepared" });
  try {
    if (disk === "small") await shop.script("new", smallDisk);
    return await start(shop);
  } catch (error) {
    await shop.close();
    throw error;
  }
}

/** Strikes at some points, both ways; each has to be met. */
export async function strikeAt(
  struck: Struck,
  fault: Fault,
  names: readonly (keyof typeof points)[],
): Promise<void> {
  const all: Seen[] = [];
  for (const name of names)
    for (const verb of verbs) {
      const seen = await struck.strike(fault, verb, points[name]);
      expect(seen, `${fault.name}: ${verb} was not struck ${name}`).toBeDefined();
      all.push(seen!);
    }
  sumUp(fault.name, all);
}

/** One line for all strikes of a fault. */
export function sumUp(fault: string, all: readonly Seen[]): void {
  const sum = (key: "acknowledged" | "failed" | "lost") => all.reduce((total, seen) => total + seen[key], 0);
  console.log(
    `${fault}, ${all.length} strikes: ${sum("acknowledged")} acknowledged, ${sum("failed")} failed, ${sum("lost")} lost, longest gap ${Math.max(...all.map(({ longestGap }) => longestGap)).toFixed(2)} s`,
  );
}

/** Moves the shop, starts the writer and the watchers. */
async function start(shop: Shop): Promise<Struck> {
  const script = await prepare(shop);
  const stopWatching = await watchLogins(shop);
  const writer = await startWriter(shop);
  let line = 0;

  const check = async (where: string, outage?: Outage): Promise<Seen> => {
    const { lines, seen } = await writer.seen(line, outage);
    line = lines;
    console.log(
      `${where}: ${seen.acknowledged} acknowledged, ${seen.failed} failed, ${seen.lost} lost, longest gap ${seen.longestGap.toFixed(2)} s`,
    );
    expect(seen.lost, where).toBe(0);
    expectServedInTime(seen, where);
    return seen;
  };
  const plant = async (point: Point, text: string): Promise<void> => {
    await shop.script(
      "new",
      `rm -f /run/struck /run/strike-at\ncat >/run/strike <<'STRIKE'\n${text}\nSTRIKE
printf '%s\\n' '${point}' >/run/strike-at`,
    );
  };
  const send = (verb: Verb) =>
    execa(join(import.meta.dirname, "../../lab/ssh"), ["new", "bash", "-s", verb], {
      env: { LAB_NAME: shop.lab.name },
      input: script,
      reject: false,
      all: true,
    });

  const finish = async (verb: Verb, where = verb as string) => {
    const { exitCode, all } = await send(verb);
    expect(exitCode, `${where}\n${all}`).toBe(0);
    await writer.acknowledged(50);
  };

  return {
    shop,
    plant,
    finish: (verb) => finish(verb),
    check,
    acknowledged: writer.acknowledged,
    strike: async (fault, verb, point) => {
      await plant(point, fault.strike);
      const mended = fault.mend && shop.script(fault.mend.side, fault.mend.script);
      const first = await send(verb);
      const struckAt = await shop.script("new", "rm -f /run/strike-at; cat /run/struck 2>/dev/null || true");
      if (struckAt === "") return undefined;
      const [at, ...statement] = struckAt.split(" ");
      const where = `${fault.name}: ${verb}, ${statement.join(" ")}`;
      const outage =
        mended && (await usersOn(shop)) === fault.takes
          ? ([Number(at), Number(await mended)] as const)
          : undefined;
      await mended;
      await writer.acknowledged(50);
      await finish(verb, `${where}\n${first.all}`);
      return check(where, outage);
    },
    reboot: async (side, verb, point) => {
      const where = `${side} reboots: ${verb}, ${point}`;
      await plant(point, untilTold);
      const first = send(verb);
      await shop.script("new", untilStruck);
      const from = Date.now() / 1000;
      // The switch's own shell is on new.
      const goOn = side === "old" ? shop.script("new", "sleep 0.5; touch /run/go") : undefined;
      await reboot(shop, side);
      await goOn;
      await shop.script(side, until("pg_isready --quiet"));
      if (side === "new") await shop.script(side, until("systemctl is-active --quiet pgbouncer"));
      const outage = [from, Date.now() / 1000] as const;
      await writer.acknowledged(50);
      const { all } = await first;
      await finish(verb, `${where}\n${all}`);
      return check(where, outage);
    },
    close: async () => {
      try {
        expect(await writer.stop()).toEqual([]);
        expect((await stopWatching()).both).toBe(0);
      } finally {
        await shop.close();
      }
    },
  };
}

/** Brings the shop to the phase `app` and plants the strikes' hook; the switch's script as its resource would send it. */
async function prepare(shop: Shop): Promise<string> {
  await sql(
    shop,
    "old",
    "create table ledger (ref bigint primary key, at timestamptz default clock_timestamp()); grant all on ledger to shop;",
  );
  await shop.script(
    "new",
    `cat >/root/ledger.py <<'PY'\n${readFileSync(join(import.meta.dirname, "ledger.py"), "utf8")}PY`,
  );
  await shop.script(
    "new",
    `cat >/root/strike.sh <<'SH'\n${hook}SH
systemctl set-environment BASH_ENV=/root/strike.sh
mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\\nDefaultEnvironment=BASH_ENV=/root/strike.sh\\n' >/etc/systemd/system.conf.d/strike.conf`,
  );
  await shop.moveTo("app");
  const raw = Object.entries(demoSettings(shop.lab)).map(([key, value]) => [
    key.replace("changeover:", ""),
    value,
  ]);
  const settings = parseConfig(Object.fromEntries(raw) as Record<string, unknown>);
  const access = { old: settings.old, new: settings.new };
  return stepScript(
    { move: settings.move, access, settings: sharedSettings(settings), retain: false },
    switchOver(settings),
    phaseNumber("database"),
  );
}

/**
 * Read by every bash that a unit starts: in the switch's own one, it counts the statements and what decides and releases, and knows
 * the commands that the switch is made of. At the point that /run/strike-at names it does what /run/strike says.
 */
const hook = `
case $(tr '\\0' ' ' <"/proc/$$/cmdline") in
  */database-switchover/script.work\\ switch\\ | */database-switchover/script.work\\ back\\ )
    struck=0
    strike_at=$(cat /run/strike-at 2>/dev/null)
    strike() {
      [[ -e /run/strike-at ]] || return 0
      rm /run/strike-at
      printf "%s %s" "$EPOCHREALTIME" "$1" >/run/struck
      . /run/strike
    }
    set -T
    trap 'case $\{FUNCNAME[0]:-}:$BASH_COMMAND in
      switch_between:$strike_at | hold:$strike_at | hand_over_writes:$strike_at | lead_to:$strike_at) strike "\${BASH_COMMAND%% *}" ;;
      ask:* | decide:* | replace_file:*) ;;
      *":ask "* | *":decide "* | *":replace_file "* | *":mv "*)
        struck=$((struck + 1))
        [[ $struck != "$strike_at" ]] || strike "$struck \${BASH_COMMAND:0:60}" ;;
    esac' DEBUG
    ;;
esac
`;

/** One value from a side's shop database, as superuser. */
function sql(shop: Shop, side: Side, text: string): Promise<string> {
  return shop.script(side, `cd / && runuser -u postgres -- psql -XAtq shop <<'SQL'\n${text}\nSQL`);
}

/** The side that users write. */
async function usersOn(shop: Shop): Promise<Side> {
  const side = await shop.script(
    "new",
    "cat /var/lib/changeover/shop/database-switchover/users-on 2>/dev/null || echo old",
  );
  return side as Side;
}

/** The writer on new, through PgBouncer. */
interface Writer {
  acknowledged: (more: number) => Promise<void>;
  /** What it saw since a line of its ledger, and the ledger's lines. */
  seen: (since: number, outage?: Outage) => Promise<{ lines: number; seen: Seen }>;
  /** Stops it; the numbers that were acknowledged and are not in the database. */
  stop: () => Promise<number[]>;
}

/** Starts the writer. */
async function startWriter(shop: Shop): Promise<Writer> {
  await startUnit(
    shop,
    "new",
    "writer",
    `/usr/bin/python3 /root/ledger.py ${poolerPort} ${perSecond} /root/ledger`,
  );
  const writer: Writer = {
    acknowledged: async (more) => {
      await shop.script(
        "new",
        `count() { grep -c '^[0-9]* 1 ' /root/ledger; }
wanted=$(($(count) + ${more}))
for _ in $(seq 1800); do [ "$(count)" -lt "$wanted" ] || exit 0; sleep 0.1; done
echo "the writer: expected $wanted acknowledged writes within three minutes, got $(count): $(tail -n 1 /root/ledger); load $(cat /proc/loadavg)" >&2
exit 1`,
      );
    },
    seen: async (since, outage) => {
      const lines = await readLines(`tail -n +${since + 1} /root/ledger`);
      const answered = lines.flatMap(([, ok, , at]) => (ok === 1 ? [at!] : [])).toSorted((a, b) => a - b);
      return {
        lines: since + lines.length,
        seen: {
          acknowledged: answered.length,
          failed: lines.length - answered.length,
          lost: (await missing(lines)).length,
          longestGap: longestGap(answered, outage),
        },
      };
    },
    stop: async () => {
      await shop.script("new", "systemctl stop writer");
      return missing(await readLines("cat /root/ledger"));
    },
  };
  await writer.acknowledged(50);
  return writer;

  /** Lines of the ledger: ref, 1 where it was acknowledged, when it was due and when it was answered. */
  async function readLines(command: string): Promise<number[][]> {
    const text = await shop.script("new", command);
    return text
      .split("\n")
      .map((line) => line.split(" ").map(Number))
      .filter(({ length }) => length === 4);
  }

  /** The numbers that were acknowledged and are not in the database that users write. */
  async function missing(lines: number[][]): Promise<number[]> {
    const done = lines.flatMap(([ref, ok]) => (ok === 1 ? [ref!] : []));
    expect(done.length).toBeGreaterThan(50);
    const least = done.reduce((a, b) => Math.min(a, b), Infinity);
    const rows = new Set(
      (await sql(shop, await usersOn(shop), `select ref from ledger where ref >= ${least}`))
        .split("\n")
        .map(Number),
    );
    return done.filter((ref) => !rows.has(ref));
  }
}

/**
 * Users were served again within the hold budget: the budget is in seconds of a machine that has time for the servers. Where this one has
 * not, a longer gap proves nothing of the switch, and is only told.
 */
function expectServedInTime({ longestGap: gap }: Seen, where: string): void {
  const load = loadavg()[0]!;
  if (gap >= holdBudget + mercy && load >= availableParallelism())
    console.log(
      `${where}: a gap of ${gap.toFixed(2)} s is not held against the hold budget of ${holdBudget} s: this machine was busy, load ${load.toFixed(1)} on ${availableParallelism()} processors`,
    );
  else expect(gap, where).toBeLessThan(holdBudget + mercy);
}

/** The longest time between two answers, without the part of it in which nobody could have answered. */
function longestGap(answered: number[], [from, to]: Outage = [0, 0]): number {
  return answered.slice(1).reduce((longest, at, index) => {
    const before = answered[index]!;
    return Math.max(longest, at - before - Math.max(0, Math.min(at, to) - Math.max(before, from)));
  }, 0);
}

/** Bash that waits until a command succeeds, for two minutes at most. */
const until = (command: string) =>
  `for _ in $(seq 2400); do ! ${command} || break; sleep 0.05; done; ${command} || exit 1`;

/** Bash on new that waits for the strike, and what the strike does until somebody has touched /run/go. */
export const untilStruck = until("[ -e /run/struck ]");
export const untilTold = "for _ in {1..400}; do [[ ! -e /run/go ]] || break; sleep 0.05; done; rm -f /run/go";

/** A server is reset, and answers again. */
async function reboot(shop: Shop, side: Side): Promise<void> {
  const gone = "/run/before-reboot";
  await shop.script(side, `touch ${gone}; systemctl reboot --force --force`).catch(() => undefined);
  await expect
    .poll(() => shop.script(side, `test ! -e ${gone} && echo up`).catch(() => ""), {
      timeout: 60_000,
      interval: 200,
    })
    .toBe("up");
}

/** PostgreSQL's first process, and bash by which an operator starts it: Debian's unit does not do that by itself. */
const postmaster = '"$(head -n 1 /var/lib/postgresql/*/main/postmaster.pid)"';
const startPostgres = `systemctl start "postgresql@$(ls /etc/postgresql)-main"\n${until("pg_isready --quiet")}`;

/** Seconds until an operator starts a PostgreSQL that was killed, and for which a network or a disk is out of order. */
const operatorSeconds = 3;
const outageSeconds = holdBudget + 3;

/** What an operator does about a PostgreSQL that was killed. */
const startAgain = (side: Side) => ({
  side,
  script: `pid=${postmaster}
${until('[ ! -e "/proc/$pid" ]')}
sleep ${operatorSeconds}
${startPostgres}
date +%s.%N`,
});

/** All faults by name. */
export const faults = {
  unit: { name: "the switch's unit is killed", strike: "kill -KILL $$" },
  follower: {
    name: "the process that follows it is killed",
    strike: "pkill -KILL -f 'database-switchover/script (do|undo)$' || true",
  },
  pooler: { name: "PgBouncer is killed", strike: "systemctl kill --signal=KILL pgbouncer.service" },
  oldPostgres: {
    name: "old's PostgreSQL is killed",
    strike: `(old_psql --command="copy (select) to program 'kill -KILL \\$(head -n 1 postmaster.pid)'") || true`,
    mend: startAgain("old"),
    takes: "old",
  },
  newPostgres: {
    name: "new's PostgreSQL is killed",
    strike: `kill -KILL ${postmaster}`,
    mend: startAgain("new"),
    takes: "new",
  },
  network: {
    name: "the network between the servers is cut",
    strike: `nft -f - <<NFT
table inet cut {
  chain from { type filter hook input priority -300; ip saddr $OLD_ADDRESS drop; }
  chain to { type filter hook output priority -300; ip daddr $OLD_ADDRESS drop; }
}
NFT`,
    mend: {
      side: "new",
      script: `${until("nft list table inet cut >/dev/null 2>&1")}
sleep ${outageSeconds}
nft delete table inet cut
date +%s.%N`,
    },
    takes: "old",
  },
  disk: {
    name: "new's disk is full",
    strike: `fallocate --length "$(df --output=avail --block-size=1 /disk | tail -n 1)" /disk/fill
cat /dev/zero >>/disk/fill 2>/dev/null || true`,
    mend: {
      side: "new",
      script: `${until("[ -e /disk/fill ]")}
sleep ${outageSeconds}
rm /disk/fill
${startPostgres}
date +%s.%N`,
    },
    takes: "new",
  },
} as const satisfies Record<string, Fault>;

/** Bash that puts all that the switch writes on new on a file system of its own, which a test can fill. */
const smallDisk = `
systemctl stop pgbouncer "postgresql@$(ls /etc/postgresql)-main"
mkdir /disk
mount -t tmpfs -o size=500m tmpfs /disk
for path in /var/lib/postgresql /var/lib/changeover /var/log/changeover /etc/pgbouncer; do
  mkdir -p "$path"
  mkdir -p "$(dirname "/disk$path")"
  cp -a "$path" "/disk$path"
  mount --bind "/disk$path" "$path"
done
${startPostgres}
systemctl start pgbouncer`;
