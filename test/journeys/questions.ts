/** What every journey asks at each phase: small questions with names, so that a failure says what is wrong. */
import { join } from "node:path";
import { expect } from "vitest";
import type { CheckReport } from "../../cli/check/report.ts";
import type { StatusReport } from "../../cli/status/report.ts";
import type { Shop } from "../../demo/shop.ts";
import { expectUnchanged, journals } from "../lab/compare.ts";

export const sides = ["old", "new"] as const;
export type Side = (typeof sides)[number];

const oldAddress = "198.51.100.10";
const newAddress = "198.51.100.20";
const command = join(import.meta.dirname, "../../cli/changeover.ts");

/** Both servers, without the rows that users write meanwhile. */
export async function fingerprints(shop: Shop): Promise<Record<Side, string[]>> {
  const [old, fresh] = await Promise.all(sides.map((side) => shop.fingerprint(side, "without rows")));
  // A name server's own files may run on old, too, and count each change.
  return { old: old!.filter((line) => !line.includes("/root/dns/")), new: fresh! };
}

/** Both servers are what they were. */
export async function expectAsBefore(shop: Shop, before: Record<Side, string[]>): Promise<void> {
  const after = await fingerprints(shop);
  for (const side of sides) expectUnchanged(before[side], after[side], side);
}

/** What must not change while nothing is done: both servers, and what steps have logged there. */
export async function snapshot(shop: Shop) {
  return { servers: await fingerprints(shop), logs: await journals(shop) };
}

/** Nothing was done since. */
export async function expectUntouched(
  shop: Shop,
  before: Awaited<ReturnType<typeof snapshot>>,
): Promise<void> {
  await expectAsBefore(shop, before.servers);
  expect(await journals(shop)).toEqual(before.logs);
}

/** A phase that a move reaches, with what is true there. */
export interface Reached {
  readonly phase: string;
  /** The phase that the way back leads to. */
  readonly before: string;
  readonly users: Side;
  readonly through: "old's address" | "names";
  readonly database: Side;
  readonly losesWrites: boolean;
}

/** The phases of a move by its strategy, and whether it changes names. */
export function phasesOf(strategy: "replicate" | "dump", names: boolean): Record<string, Reached> {
  const order = ["idle", "prepared", "app", "database", "dns", "finished"];
  const reached = order.map((phase, at): Reached => ({
    phase,
    before: phase === "finished" ? "" : (order[at - 1] ?? "idle"),
    users: at < 2 ? "old" : "new",
    through: (at === 2 || at === 3) && names ? "old's address" : names ? "names" : "old's address",
    database: at < 3 ? "old" : "new",
    losesWrites: strategy === "dump" && (phase === "database" || phase === "dns"),
  }));
  return Object.fromEntries(reached.map((one) => [one.phase, one]));
}

/** The outputs say where the move is, and how to get back. */
export async function expectOutputs(shop: Shop, reached: Reached): Promise<void> {
  const end = reached.phase === "finished";
  expect(await shop.stack.outputs()).toMatchObject({
    phase: reached.phase,
    oldAddress,
    newAddress,
    rollbackAddress: end ? "" : oldAddress,
    rollbackCommand: end ? "" : `pulumi config set changeover:phase ${reached.before} && pulumi up`,
    rollbackLosesWrites: reached.losesWrites,
  });
}

/** A second `up` changes nothing and runs no command; a preview does neither where that is asked, too. */
export async function expectNothingToDo(shop: Shop, reached: Reached, also?: "preview"): Promise<void> {
  const before = await snapshot(shop);
  const preview = also && (await shop.stack.preview());
  const up = await shop.stack.up();
  if (preview) expect(preview.exitCode, preview.all).toBe(0);
  expect(up.exitCode, up.all).toBe(0);
  expect({ ...up.changes, same: 0 }, `${reached.phase}: ${up.all}`).toEqual({
    create: 0,
    update: 0,
    delete: 0,
    replace: 0,
    same: 0,
  });
  expect(up.changes.same).toBeGreaterThan(2);
  await expectUntouched(shop, before);
  await expectOutputs(shop, reached);
}

/** Runs the command `changeover` as an operator does, in the stack's folder. */
export function changeover(shop: Shop, ...args: string[]) {
  return shop.stack.execute("node", command, ...args);
}

/** What `changeover check` calls wrong, place and value. */
export const wrong = ({ problems }: Pick<CheckReport, "problems">) =>
  problems.filter(({ severity }) => severity === "error").map(({ place, value }) => `${place}: ${value}`);

/** Asks again, for two minutes, what could not all be found out: on a busy machine an answer may take longer than it is waited for. */
async function answered<T extends { exitCode?: number | undefined }>(ask: () => Promise<T>): Promise<T> {
  const end = Date.now() + 120_000;
  for (;;) {
    const answer = await ask();
    if (answer.exitCode !== 2 || Date.now() > end) return answer;
  }
}

/** The command says of the servers, the names and the steps what the phase promises. */
export async function expectDescribed(shop: Shop, reached: Reached): Promise<StatusReport> {
  const [checked, status] = await Promise.all([
    answered(() => changeover(shop, "check", "--json")),
    answered(() => changeover(shop, "status", "--json")),
  ]);
  const report = JSON.parse(checked.stdout) as CheckReport;
  expect(wrong(report), checked.all).toEqual([]);
  expect(report, checked.all).toMatchObject({
    exitCode: 0,
    ok: true,
    phase: reached.phase,
    servers: { reached: reached.phase },
  });
  expect(checked.exitCode, checked.all).toBe(0);
  expect(status.exitCode, status.all).toBe(0);
  const described = JSON.parse(status.stdout) as StatusReport;
  const end = reached.phase === "finished";
  expect(described).toMatchObject({
    phase: { settings: reached.phase, servers: { reached: reached.phase } },
    users: { side: reached.users, maintenancePage: false },
    database: { side: reached.database },
    rollback: {
      address: end ? "" : oldAddress,
      command: end ? "" : `pulumi config set changeover:phase ${reached.before} && pulumi up`,
      losesWrites: reached.losesWrites,
    },
  });
  return described;
}

/** Where the move has a window, and the site names that follow it: status says so, and that users come as the phase leads them. */
export function expectNamed(status: StatusReport, reached: Reached): void {
  expect(status.users.through).toBe(reached.through);
  expect(status.window).toMatchObject({ open: true });
  expect(status.names.length).toBeGreaterThan(1);
  expect(new Set(status.names.flatMap(({ leads }) => leads ?? []))).toEqual(
    new Set([reached.phase === "dns" ? "new" : "old"]),
  );
}

/** The output of a query on a side's shop database, as superuser. */
export const query = (shop: Shop, side: Side, sql: string, database = "shop") =>
  shop.script(side, `cd / && runuser -u postgres -- psql -XAtq ${database} <<'SQL'\n${sql}\nSQL`);

/** Every job ran once, and jobs and cron are on new alone; so are such units. */
export async function expectJobsOnNew(shop: Shop, units = "shop-worker shop-web"): Promise<void> {
  const rows = await query(shop, "new", "select count(*), count(distinct job_id) from job_runs");
  const [runs, jobs] = rows.split("|").map(Number);
  expect(runs).toBeGreaterThan(10);
  expect(jobs).toBe(runs);
  expect(
    await shop.script("old", `ls /etc/cron.d; crontab -l -u shop 2>&1; systemctl is-active ${units} || true`),
  ).not.toMatch(/^shop$|^active$/m);
  expect(await shop.script("new", "ls /etc/cron.d; systemctl is-active shop-worker shop-web")).toMatch(
    /^shop$/m,
  );
}

/** New can do nothing on old any more, and deploys are taken on new alone. */
export async function expectClosed(shop: Shop): Promise<void> {
  expect(
    await shop.script("old", "cat /root/.ssh/authorized_keys /etc/postgresql/15/main/pg_hba.conf"),
  ).not.toContain("changeover");
  const refused = await push(shop, "old");
  expect(refused).toContain("Deploys to this server are closed");
  expect(refused).toContain("Deploy to 198.51.100.20");
  expect(await push(shop, "new")).toMatch(/HEAD -> \w+/);
}

/** Nothing follows any more: no slot, subscription, publication, role or mark is left on either side. */
export async function expectNothingFollows(shop: Shop): Promise<void> {
  for (const side of sides) {
    expect(
      await query(
        shop,
        side,
        `select 'slot', slot_name::text from pg_replication_slots union all select 'subscription', subname from pg_subscription
union all select 'publication', pubname from pg_publication union all select 'role', rolname from pg_roles where rolname ~ 'changeover'
union all select 'schema', nspname from pg_namespace where nspname ~ 'changeover'
union all select 'identity', relname from pg_class where relreplident = 'f'`,
      ),
    ).toBe("");
  }
  expect(await shop.on("new", "bash", "-c", "ls /var/lib/postgresql | grep changeover || true")).toBe("");
}

/** Destroying the finished stack touches no server. */
export async function expectDestroyTouchesNothing(shop: Shop): Promise<void> {
  const before = await snapshot(shop);
  const { exitCode, all } = await shop.stack.destroy();
  expect(exitCode, all).toBe(0);
  await expectUntouched(shop, before);
  expect((await shop.stack.exportState()).resources).toEqual([]);
}

/** Pushes an empty commit to the shop's repository on a side, as its deployer would; what git prints. */
export function push(shop: Shop, side: Side): Promise<string> {
  return shop.script(
    side,
    `runuser -u shop -- bash -c 'cd /tmp && work=$(mktemp -d) && git clone -q /srv/git/shop.git "$work" && cd "$work" &&
git -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m pushed && git push origin HEAD; rm -rf "$work"' 2>&1; true`,
  );
}

/** What users of the site saw last. */
export function hostsOfLast(entries: readonly { host?: string }[], number: number): Set<string> {
  return new Set(entries.slice(-number).flatMap(({ host }) => (host ? [host] : [])));
}

/** The users' files on a side, those still being written left out. */
export async function uploads(shop: Shop, side: Side): Promise<string[]> {
  const names = await shop.script(
    side,
    "find /srv/shop/uploads -type f -name 'client-*.bin' -printf '%f\\n'",
  );
  return names.split("\n");
}
