/**
 * How long a client waits when the database is switched, with 300 transactions a second: changeover's phase `database`, and its way
 * back, beside the same switch written as plain psql calls, in the same lab, in turns. Measured by pgbench: the longest time from
 * when a transaction was due until it was done, over the median of them.
 */
import { readFileSync } from "node:fs";
import { openShop, type Shop } from "../demo/shop.ts";
import { type Benchmark, type Measured, median, say } from "./benchmark.ts";

const perSecond = 300;

/** One way of the switch at scale 50 (750 MB); both ways are measured in the same runs. */
const hold = (name: string, way: "forward" | "back"): Benchmark => ({
  name,
  unit: "milliseconds",
  goal: 100,
  worst: 250,
  peerName: "plain psql calls",
  measure: async (runs) => (await both(runs))[way],
});

export const switchHold = hold("switch-hold-ms", "forward");
export const switchBackHold = hold("switch-back-hold-ms", "back");

/** Whether the hold grows with the database. */
export const holdGrowth: Benchmark = {
  name: "hold-growth",
  unit: "milliseconds",
  goal: 1.2,
  peerName: "the same at scale 5 (80 MB)",
  measure: async (runs) => {
    const small = await holds(5, runs, false);
    const big = await holds(200, runs, false);
    return {
      ours: big.forward.ours,
      peer: small.forward.ours,
      notes: { transactionsPerSecond: perSecond, failedTransactions: big.failed + small.failed },
    };
  },
};

interface Both {
  forward: Measured;
  back: Measured;
  failed: number;
}

let measured: Promise<Both> | undefined;

/** Forward and back are measured once, for both figures. */
function both(runs: number): Promise<Both> {
  measured ??= holds(50, runs, true);
  return measured;
}

/** Switches forward and back, again and again, under load. */
async function holds(scale: number, runs: number, withPeer: boolean): Promise<Both> {
  const shop = await openShop({
    name: "bench-switch",
    env: { DEMO_ROWS: "10", DEMO_UPLOADS: "5" },
    database: { strategy: "replicate" },
  });
  try {
    await shop.script(
      "old",
      `${shopPassword}\n${pgbench} --initialize --quiet --scale=${scale} --host=127.0.0.1 --username=shop shop 2>&1`,
    );
    await shop.moveTo("app");
    const counts = { failed: 0 };
    const wait = async (work: () => Promise<unknown>) => {
      const { extra, failed } = await longestWait(shop, work);
      counts.failed += failed;
      return extra;
    };
    const forward = { ours: [] as number[], peer: [] as number[] };
    const back = { ours: [] as number[], peer: [] as number[] };
    for (let run = 0; run < runs; run++) {
      forward.ours.push(await wait(() => shop.moveTo("database")));
      back.ours.push(await wait(() => shop.moveTo("app")));
      if (withPeer) {
        forward.peer.push(await wait(() => plainSwitch(shop, "old", "new")));
        back.peer.push(await wait(() => plainSwitch(shop, "new", "old")));
      }
      say(
        `scale ${scale}: forward ${forward.ours.at(-1)} ms, back ${back.ours.at(-1)} ms; psql ${forward.peer.at(-1) ?? "-"} ms, ${back.peer.at(-1) ?? "-"} ms`,
      );
    }
    const notes = { scale, transactionsPerSecond: perSecond, failedTransactions: counts.failed };
    return { forward: { ...forward, notes }, back: { ...back, notes }, failed: counts.failed };
  } finally {
    await shop.close();
  }
}

const pgbench = "$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/pgbench";

/** The app's password, for libpq. */
const shopPassword = `export PGPASSWORD=$(sed -n 's#^DATABASE_URL=postgresql://shop:\\([^@]*\\)@.*#\\1#p' /etc/shop/shop.env)`;

/** Milliseconds that the unluckiest transaction took more than usual while some work ran, and how many failed. */
async function longestWait(
  shop: Shop,
  work: () => Promise<unknown>,
): Promise<{ extra: number; failed: number }> {
  for (const side of ["old", "new"] as const)
    await shop.script(side, "cd / && runuser -u postgres -- psql -Xqc checkpoint && sync");
  await shop.script(
    "new",
    `${shopPassword}
rm -rf /root/load && mkdir /root/load && cd /root/load
systemd-run --quiet --unit=load --working-directory=/root/load --setenv=PGPASSWORD="$PGPASSWORD" --property=KillSignal=SIGINT --property=RemainAfterExit=yes \\
  bash -c "${pgbench} --no-vacuum --client=8 --jobs=2 --rate=${perSecond} --time=600 --log --host=/var/run/postgresql --port=6432 --username=shop shop >out 2>&1"
for _ in $(seq 100); do [ "$(cat pgbench_log.* 2>/dev/null | wc -l)" -lt 900 ] || exit 0; sleep 0.1; done
cat out >&2; exit 1`,
  );
  await work();
  const log = await shop.script(
    "new",
    `cd /root/load; before=$(cat pgbench_log.* | wc -l)
for _ in $(seq 100); do [ "$(cat pgbench_log.* | wc -l)" -lt $((before + 900)) ] || break; sleep 0.1; done
systemctl stop load; cat pgbench_log.*; grep -c aborted out >&2 || true`,
  );
  const lines = log.split("\n").map((line) => line.split(" "));
  const milliseconds = lines.flatMap(([, , time]) =>
    time === undefined || Number.isNaN(Number(time)) ? [] : [Number(time) / 1000],
  );
  const failed = lines.filter(([, , time]) => time === "failed").length;
  const aborted = Number(await shop.script("new", "grep -c aborted /root/load/out || true"));
  if (milliseconds.length < 1800)
    throw new Error(`pgbench: expected 1800 transactions at least, got ${milliseconds.length}`);
  return { extra: Math.round(Math.max(...milliseconds) - median(milliseconds)), failed: failed + aborted };
}

/** The careful person's switch, on new. */
async function plainSwitch(shop: Shop, from: "old" | "new", to: "old" | "new"): Promise<void> {
  const script = readFileSync(new URL("plainSwitch.sh", import.meta.url), "utf8");
  await shop.script(
    "new",
    `OLD=${shop.lab.old.address} NEW=${shop.lab.new.address}\nset -- ${from} ${to}\n${script}`,
  );
}
