/**
 * How long a client waits when the database is switched, with 300 transactions a second: changeover's phase `database`, and its way
 * back, beside the same switch written as plain psql calls, in the same lab, in turns. Measured by pgbench: the longest time from
 * when a transaction was due until it was done, over the median of them.
 */
import { readFileSync } from "node:fs";
import { openShop, type Shop } from "../demo/shop.ts";
import { type Benchmark, type Measured, median, say } from "./benchmark.ts";
import { fillTables, perSecond, underLoad } from "./load.ts";

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
    await fillTables(shop, scale);
    await shop.moveTo("app");
    const counts = { failed: 0 };
    const wait = async (work: () => Promise<unknown>) => {
      const { transactions, failed } = await underLoad(shop, work);
      const waits = transactions.map(({ milliseconds }) => milliseconds);
      counts.failed += failed;
      return Math.round(Math.max(...waits) - median(waits));
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

/** The careful person's switch, on new. */
async function plainSwitch(shop: Shop, from: "old" | "new", to: "old" | "new"): Promise<void> {
  const script = readFileSync(new URL("plainSwitch.sh", import.meta.url), "utf8");
  await shop.script(
    "new",
    `OLD=${shop.lab.old.address} NEW=${shop.lab.new.address}\nset -- ${from} ${to}\n${script}`,
  );
}
