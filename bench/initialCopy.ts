/**
 * How long the first copy of a database takes while users are served: changeover's step `database-follow` until new follows old,
 * beside `pg_dump | psql` and pgcopydb, in the same lab, with the same data, in turns. And how much of old's latency a copy costs
 * that is held to `copyRate`.
 */
import { execa } from "execa";
import { join } from "node:path";
import { followDatabase } from "../components/database/database.ts";
import { sharedSettings } from "../components/site.ts";
import { stepScript } from "../components/step.ts";
import { demoSettings } from "../demo/settings.ts";
import { openShop, type Shop } from "../demo/shop.ts";
import { parseConfig } from "../stacks/config.ts";
import { phaseNumber } from "../stacks/runbook.ts";
import { type Benchmark, median, say, secondsOf } from "./benchmark.ts";
import { fillTables, perSecond, settle, underLoad } from "./load.ts";

/** pgbench's, 15 MB for each. */
const copyScale = 200;
const loadScale = 50;
const copyRate = "20 MB";

export const initialCopy: Benchmark = {
  name: "initial-copy",
  unit: "seconds",
  goal: 0.7,
  peerName: "the better of pg_dump | psql and pgcopydb",
  measure: async (runs) => {
    const shop = await shopWithCopy(copyScale);
    try {
      await shop.script("old", openToPeers(shop.lab.new.address));
      const seconds = { ours: [] as number[], pipe: [] as number[], pgcopydb: [] as number[] };
      const megabytes = { ours: [] as number[], pgcopydb: [] as number[] };
      for (let run = 0; run < runs; run++) {
        const measureInto = async (who: keyof typeof seconds, work: () => Promise<unknown>) => {
          await settle(shop);
          const peak = await watchMemory(shop);
          seconds[who].push(await secondsOf(work));
          const most = await peak();
          if (who !== "pipe") megabytes[who].push(most);
        };
        await measureInto("ours", () => sendFollow(shop, "do"));
        await sendFollow(shop, "undo");
        await measureInto("pipe", () => shop.script("new", pipe(shop.lab.old.address)));
        await shop.script("new", dropCopy);
        await measureInto("pgcopydb", () => shop.script("new", pgcopydb(shop.lab.old.address)));
        await shop.script("new", dropCopy);
        say(
          `ours ${seconds.ours.at(-1)} s, ${megabytes.ours.at(-1)} MB; pg_dump | psql ${seconds.pipe.at(-1)} s; pgcopydb ${seconds.pgcopydb.at(-1)} s, ${megabytes.pgcopydb.at(-1)} MB`,
        );
      }
      const pipeIsBetter = median(seconds.pipe) < median(seconds.pgcopydb);
      return {
        ours: seconds.ours,
        peer: pipeIsBetter ? seconds.pipe : seconds.pgcopydb,
        notes: {
          scale: copyScale,
          better: pipeIsBetter ? "pg_dump | psql" : "pgcopydb",
          other: (pipeIsBetter ? seconds.pgcopydb : seconds.pipe).join(" "),
          ourMegabytes: Math.max(...megabytes.ours),
          pgcopydbMegabytes: Math.max(...megabytes.pgcopydb),
        },
      };
    } finally {
      await shop.close();
    }
  },
};

export const copyLoad: Benchmark = {
  name: "copy-load",
  unit: "milliseconds",
  goal: 2,
  peerName: "without a copy",
  measure: async (runs) => {
    const shop = await shopWithCopy(loadScale, diskOfItsOwn);
    try {
      const ours: number[] = [];
      const peer: number[] = [];
      let failures = 0;
      for (let run = 0; run < runs; run++) {
        let began = 0;
        let ended = 0;
        const { transactions, failed } = await underLoad(shop, async () => {
          await shop.script("new", "sleep 15");
          began = Date.now();
          await sendFollow(shop, "do", { copyRate });
          ended = Date.now();
        });
        await sendFollow(shop, "undo", { copyRate });
        const slowest = (from: number, to: number) =>
          percentile99(
            transactions.filter(({ at }) => at > from && at < to).map(({ milliseconds }) => milliseconds),
          );
        peer.push(slowest(began - 15_000, began));
        ours.push(slowest(began, ended));
        failures += failed;
        say(
          `99th percentile: without a copy ${peer.at(-1)} ms, with one of ${((ended - began) / 1000).toFixed(0)} s ${ours.at(-1)} ms`,
        );
      }
      return {
        ours,
        peer,
        notes: { scale: loadScale, copyRate, transactionsPerSecond: perSecond, failedTransactions: failures },
      };
    } finally {
      await shop.close();
    }
  },
};

/** A shop at phase app whose database can be copied, and is not. */
async function shopWithCopy(scale: number, prepare = ""): Promise<Shop> {
  const shop = await openShop({
    name: "bench-copy",
    env: { DEMO_ROWS: "10", DEMO_UPLOADS: "5" },
    newPackages: ["pgcopydb"],
  });
  await shop.script("new", prepare);
  await fillTables(shop, scale);
  await shop.moveTo("app");
  await sendFollow(shop, "undo");
  return shop;
}

/**
 * The lab's servers share one disk, and each write that waits for it waits for the other's, which two servers' do not: new's database
 * is in memory.
 */
const diskOfItsOwn = `systemctl stop "postgresql@$(ls /etc/postgresql)-main"
mkdir /disk && mount -t tmpfs -o size=8g tmpfs /disk && cp -a /var/lib/postgresql /disk/ && mount --bind /disk/postgresql /var/lib/postgresql
systemctl start "postgresql@$(ls /etc/postgresql)-main"`;

/** Sends the step's script as its resource would. */
async function sendFollow(shop: Shop, verb: "do" | "undo", database = {}): Promise<void> {
  const raw = Object.entries(demoSettings(shop.lab, { copyAhead: "100 MB", ...database }));
  const settings = parseConfig(
    Object.fromEntries(raw.map(([key, value]) => [key.replace("changeover:", ""), value])),
  );
  const script = stepScript(
    {
      move: settings.move,
      access: { old: settings.old, new: settings.new },
      settings: sharedSettings(settings),
      retain: false,
    },
    followDatabase(settings),
    phaseNumber("app"),
  );
  await execa(join(import.meta.dirname, "../lab/ssh"), ["new", "bash", "-s", verb], {
    env: { LAB_NAME: shop.lab.name },
    input: script,
    all: true,
  });
}

/** The smallest time that 99 of 100 do not exceed. */
function percentile99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(sorted.length * 0.99) - 1];
  if (value === undefined) throw new Error("a percentile needs at least one value");
  return Number(value.toFixed(1));
}

/** Adds up twice a second what the copy's programs on new hold in memory, the server's own processes left out; the most in MB. */
async function watchMemory(shop: Shop): Promise<() => Promise<number>> {
  await shop.script(
    "new",
    `systemd-run --quiet --unit=memory bash -c 'most=0; while sleep 0.5; do
  now=$(ps -eo rss=,comm=,args= | awk "\\$2 ~ /^(psql|pg_dump|pg_restore|pgcopydb|xargs|dd)\\$/ || / script.work /  { sum += \\$1 } END { print int(sum) }")
  ((now <= most)) || { most=$now; echo "$most" >/run/memory; }
done'`,
  );
  return async () =>
    Math.round(
      Number(await shop.script("new", "systemctl stop memory; cat /run/memory; rm /run/memory")) / 1000,
    );
}

/** A superuser for the peers, from new only. */
const openToPeers = (address: string) => `cd /
runuser -u postgres -- psql -Xq -c "create role peer superuser login password 'peer'"
file=$(runuser -u postgres -- psql -XAtc 'show hba_file')
printf 'hostssl all peer %s/32 scram-sha-256\\n' '${address}' | cat - "$file" >/tmp/hba && cat /tmp/hba >"$file"
runuser -u postgres -- psql -Xqc 'select pg_reload_conf()'`;

/** Where the peers find old's database. */
const source = (address: string) => `host=${address} dbname=shop user=peer password=peer sslmode=require`;

/** What a careful person types, on new: one pipe, then statistics. */
const pipe = (address: string) => `set -o pipefail; cd /
pg_dump --create '${source(address)}' | runuser -u postgres -- psql -Xq --set=ON_ERROR_STOP=1 postgres >/dev/null
runuser -u postgres -- vacuumdb --quiet --analyze-only --dbname=shop`;

/** pgcopydb, with as many workers as changeover has, and big tables read in pieces. */
const pgcopydb = (
  address: string,
) => `cd / && rm -rf /tmp/pgcopydb && runuser -u postgres -- createdb --template=template0 shop &&
runuser -u postgres -- pgcopydb clone --quiet --table-jobs 2 --index-jobs 2 --restore-jobs 2 --split-tables-larger-than 100MB --dir /tmp/pgcopydb \\
  --source '${source(address)}' --target 'dbname=shop' >/root/pgcopydb.log 2>&1 || { tail -n 20 /root/pgcopydb.log >&2; exit 1; }`;

const dropCopy = "cd / && runuser -u postgres -- dropdb --force shop";
