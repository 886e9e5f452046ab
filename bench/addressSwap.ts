/**
 * How long a user waits when the Elastic IP goes over, there and back: the longest time from when a request was due until it was answered,
 * over the median of them. On the lab, with an address that moves between the two servers by gratuitous ARP where moto lets it lead.
 */
import { openShop } from "../demo/shop.ts";
import { elasticIp, openAccount, runInstances } from "../test/lab/elasticIp.ts";
import { type Benchmark, median, say } from "./benchmark.ts";

const writesPerSecond = 50;

export const addressSwap: Benchmark = {
  name: "address-swap-ms",
  unit: "milliseconds",
  goal: 1000,
  measure: async (runs) => {
    const shop = await openShop({ name: "bench-address", env: { DEMO_ROWS: "10", DEMO_UPLOADS: "5" } });
    const account = await openAccount(shop, { run: (client) => runInstances(client, 2) });
    try {
      await shop.stack.configure({
        "changeover:aws": { ...account.settings, new: account.ids[1], snapshots: false },
      });
      await shop.moveTo("database");
      let failed = 0;
      let requests = 0;
      const swap = async (phase: string): Promise<number> => {
        const client = shop.startClient(writesPerSecond, { address: elasticIp });
        await client.settled(100);
        await shop.moveTo(phase);
        await client.settled(100);
        const { entries, ...seen } = await client.stop();
        failed += seen.failed;
        requests += seen.requests;
        const waits = entries.map(({ ms }) => ms);
        return Math.round(Math.max(...waits) - median(waits));
      };
      const ours: number[] = [];
      const back: number[] = [];
      for (let run = 0; run < runs; run++) {
        ours.push(await swap("dns"));
        back.push(await swap("database"));
        say(`there ${ours.at(-1)} ms, back ${back.at(-1)} ms, lost requests ${failed}`);
      }
      return { ours, notes: { writesPerSecond, requests, lostRequests: failed, back: back.join(" ") } };
    } finally {
      await account.close();
      await shop.close();
    }
  },
};
