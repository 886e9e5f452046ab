/**
 * How long users see the maintenance page while the database moves: changeover's phase `database` beside `pg_dump | psql` by
 * hand, in the same lab, with the same data and the same client, in turns. Measured by the client: from the last good answer
 * before the page to the first one after it.
 */
import { readFileSync } from "node:fs";
import { openShop, type Shop } from "../demo/shop.ts";
import { maintenanceMessage } from "../demo/settings.ts";
import { type Benchmark, say } from "./benchmark.ts";

/** Makes a database of about 755 MB. */
const rows = "2750000";

export const dumpDowntime: Benchmark = {
  name: "dump-downtime",
  unit: "seconds",
  goal: 0.8,
  peerName: "pg_dump | psql by hand behind a page",
  measure: async (runs) => {
    const settings = { "changeover:acceptLostWrites": 1_000_000 };
    const shop = await openShop({
      name: "bench-dump",
      database: { strategy: "dump" },
      env: { DEMO_ROWS: rows, DEMO_UPLOADS: "50" },
      settings,
    });
    try {
      await shop.moveTo("app");
      const bytes = Number(
        await shop.script(
          "old",
          `cd / && runuser -u postgres -- psql -XAtc "select pg_database_size('shop')"`,
        ),
      );
      // As autovacuum leaves tables that have been there for a while.
      await shop.script("old", "cd / && runuser -u postgres -- vacuumdb --quiet --analyze shop");
      const ours: number[] = [];
      const peer: number[] = [];
      for (let run = 0; run < runs; run++) {
        ours.push(await downtime(shop, "ours", () => shop.moveTo("database")));
        await shop.moveTo("app");
        peer.push(await downtime(shop, "by hand", () => byHand(shop, "move")));
        await byHand(shop, "back");
        say(`ours ${ours.at(-1)} s, by hand ${peer.at(-1)} s`);
      }
      return { ours, peer, notes: { databaseMegabytes: Math.round(bytes / 1e6), writesPerSecond: 10 } };
    } finally {
      await shop.close();
    }
  },
};

/** What the client saw of the page while some work ran, from the same starting point for both. */
async function downtime(shop: Shop, who: string, work: () => Promise<unknown>): Promise<number> {
  await settle(shop);
  const client = shop.startClient(10);
  await client.settled(40);
  await work();
  await client.settled(40);
  const { failed, failures, maintenanceSeconds } = await client.stop();
  if (failed > 0) say(`${who}: ${failed} requests failed, the first: ${failures[0]?.error?.split("\n")[0]}`);
  return maintenanceSeconds;
}

/** Nothing is left to be written to the disks, of the last run or of its undo. */
async function settle(shop: Shop): Promise<void> {
  await shop.script("new", "rm -f /var/backups/changeover-*.dump");
  for (const side of ["old", "new"] as const)
    await shop.script(side, "cd / && runuser -u postgres -- psql -Xqc checkpoint && sync");
}

/** The careful person, on new. */
async function byHand(shop: Shop, verb: "move" | "back"): Promise<void> {
  const script = readFileSync(new URL("byHand.sh", import.meta.url), "utf8");
  await shop.script(
    "new",
    `PAGE_TEXT='${maintenanceMessage.replace("&", "&amp;")}'\nset -- ${verb}\n${script}`,
  );
}
