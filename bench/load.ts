/** pgbench on the shop's database through PgBouncer on new: transactions that are due at a steady rate, each with its latency. */
import type { Shop } from "../demo/shop.ts";

/** Transactions that are due in a second. */
export const perSecond = 300;

const pgbench = "$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/pgbench";

/** The app's password, for libpq. */
const shopPassword = `export PGPASSWORD=$(sed -n 's#^DATABASE_URL=postgresql://shop:\\([^@]*\\)@.*#\\1#p' /etc/shop/shop.env)`;

/** One transaction: when it was done (milliseconds since 1970), and how long after it was due. */
export interface Transaction {
  at: number;
  milliseconds: number;
}

/** Transactions that went well, and how many did not. */
export interface Load {
  transactions: Transaction[];
  failed: number;
}

/** Makes pgbench's tables in the shop's database on old, 15 MB for each unit of scale. */
export async function fillTables(shop: Shop, scale: number): Promise<void> {
  await shop.script(
    "old",
    `${shopPassword}\n${pgbench} --initialize --quiet --scale=${scale} --host=127.0.0.1 --username=shop shop 2>&1`,
  );
}

/** Nothing is left to be written to the disks of either server. */
export async function settle(shop: Shop): Promise<void> {
  for (const side of ["old", "new"] as const)
    await shop.script(side, "cd / && runuser -u postgres -- psql -Xqc checkpoint && sync");
}

/** Runs some work under load, from 3 seconds before it to 3 seconds after it; what became of every transaction. */
export async function underLoad(shop: Shop, work: () => Promise<unknown>): Promise<Load> {
  await settle(shop);
  await shop.script(
    "new",
    `${shopPassword}
rm -rf /root/load && mkdir /root/load && cd /root/load
systemd-run --quiet --unit=load --working-directory=/root/load --setenv=PGPASSWORD="$PGPASSWORD" --property=KillSignal=SIGINT --property=RemainAfterExit=yes \\
  bash -c "${pgbench} --no-vacuum --client=8 --jobs=2 --rate=${perSecond} --time=3600 --log --host=/var/run/postgresql --port=6432 --username=shop shop >out 2>&1"
for _ in $(seq 100); do [ "$(cat pgbench_log.* 2>/dev/null | wc -l)" -lt 900 ] || exit 0; sleep 0.1; done
cat out >&2; exit 1`,
  );
  await work();
  const log = await shop.script(
    "new",
    `cd /root/load; before=$(cat pgbench_log.* | wc -l)
for _ in $(seq 100); do [ "$(cat pgbench_log.* | wc -l)" -lt $((before + 900)) ] || break; sleep 0.1; done
systemctl stop load; cat pgbench_log.*`,
  );
  const aborted = Number(await shop.script("new", "grep -c aborted /root/load/out || true"));
  // Client, number, microseconds or "failed", script, seconds and microseconds of the clock, lag.
  const lines = log.split("\n").map((line) => line.split(" "));
  const transactions = lines.flatMap(([, , time, , second, microsecond]) =>
    time === undefined || Number.isNaN(Number(time))
      ? []
      : [{ at: Number(second) * 1000 + Number(microsecond) / 1000, milliseconds: Number(time) / 1000 }],
  );
  if (transactions.length < 1800)
    throw new Error(`pgbench: expected 1800 transactions at least, got ${transactions.length}`);
  return { transactions, failed: lines.filter(([, , time]) => time === "failed").length + aborted };
}
